/** The rows of a view: the grid, sorted and filtered by its headers, with a plain table for screen readers. */
import * as React from 'react';

import { ApiError } from '../api';
import type * as api from '../api/types';
// One by one: the widget in Voila has no room for all of them.
import { ask } from '../components/ask';
import { Button } from '../components/Button';
import { formatCount } from '../components/format';
import { openMenuAt } from '../components/menu';
import { ErrorBar } from '../components/State';
import { useStudio } from '../frame/context';
import { DataTable } from './grid/DataTable';
import { ColumnsPanel } from './grid/ColumnsPanel';
import { PlainRows } from './grid/PlainRows';
import { hideColumn, ILayout, moveColumn, shownColumns } from './grid/layout';
import { useCopy } from './grid/useCopy';
import {
  IFilter,
  IGridBackend,
  IGridSource,
  IProfile,
  ISort
} from './grid/model';

export interface IRecipeGridProps {
  backend: IGridBackend;
  view: { view: string; rows: number };
  columns: api.ColumnDetail[];
  /** Which columns are shown, and where; it outlasts a view. */
  layout: ILayout;
  onLayout(layout: ILayout): void;
  /** A view of the same rows before the step, to tell which cells it changes. */
  before: string | null;
  isWhole: boolean;
  note?: string;
  /** Make a step of a filter: the condition as a formula. */
  onFilter?(condition: string): void;
  /** Offer steps for a column. */
  onColumn?(column: string): void;
}

interface IArrangement {
  sort: ISort[];
  filters: (IFilter & { label: string })[];
}

const PLAIN: IArrangement = { sort: [], filters: [] };

export function RecipeGrid(props: IRecipeGridProps): React.ReactElement {
  const { trans } = useStudio();
  const { backend, view, before, layout, onLayout } = props;
  const [isChoosing, setChoosing] = React.useState(false);
  const columns = React.useMemo(
    () => shownColumns(props.columns, layout),
    [props.columns, layout]
  );
  const [arrangement, setArrangement] = React.useState(PLAIN);
  const [shown, setShown] = React.useState(view);
  const [error, setError] = React.useState<ApiError | null>(null);
  const [profiles, setProfiles] = React.useState(
    () => new Map<string, IProfile>()
  );
  const [isPlain, setPlain] = React.useState(false);
  const [jump, setJump] = React.useState<{
    row?: number;
    column?: number;
  } | null>(null);
  const [cell, setCell] = React.useState<{
    name: string;
    value: string;
  } | null>(null);
  const pending = React.useRef(new Set<string>());

  React.useEffect(() => {
    if (arrangement === PLAIN) {
      setShown(view);
      return;
    }
    const abort = new AbortController();
    const filters = arrangement.filters.map(({ column, operator, value }) => ({
      column,
      operator,
      value
    }));
    backend
      .arrange(view.view, arrangement.sort, filters, abort.signal)
      .then(reply => {
        setShown(reply);
        setError(null);
      })
      .catch((reason: unknown) => {
        if (!abort.signal.aborted) {
          setError(ApiError.of(reason));
        }
      });
    return () => abort.abort();
  }, [backend, view, arrangement]);

  const source = React.useMemo<IGridSource>(
    () => ({
      columns,
      rowCount: shown.rows,
      window: (start, count, names, signal) =>
        backend.window(
          { view: shown.view, start, count, columns: names, before },
          signal
        )
    }),
    [backend, shown.view, shown.rows, columns, before]
  );

  const [copy, copied] = useCopy(source, reason =>
    setError(ApiError.of(reason))
  );
  const profile = (names: string[]) => {
    const wanted = names.filter(name => !pending.current.has(name));
    if (!wanted.length) {
      return;
    }
    wanted.forEach(name => pending.current.add(name));
    backend
      .profile(view.view, wanted)
      .then(reply =>
        setProfiles(known => {
          const next = new Map(known);
          for (const one of reply.columns) {
            next.set(one.name, { ...one, approximate: !props.isWhole });
          }
          return next;
        })
      )
      .catch((reason: unknown) => setError(ApiError.of(reason)));
  };
  const sortBy = (column: string, descending: boolean) =>
    setArrangement({ ...arrangement, sort: [{ column, descending }] });
  const filterBy = (
    column: string,
    operator: string,
    value: unknown,
    label: string
  ) =>
    setArrangement({
      ...arrangement,
      filters: [...arrangement.filters, { column, operator, value, label }]
    });
  const clear = (change: Partial<IArrangement>) => {
    const next = { ...arrangement, ...change };
    setArrangement(next.sort.length + next.filters.length ? next : PLAIN);
  };
  const headerMenu = (name: string, at: { x: number; y: number }) => {
    const column = columns.find(one => one.name === name);
    openMenuAt(at.x, at.y, [
      {
        label: trans.__('Sort ascending'),
        onSelect: () => sortBy(name, false)
      },
      {
        label: trans.__('Sort descending'),
        onSelect: () => sortBy(name, true)
      },
      {
        label: trans.__('Only rows with a value'),
        beginsGroup: true,
        onSelect: () =>
          filterBy(name, 'is not missing', null, trans.__('has a value'))
      },
      {
        label: trans.__('Only rows without a value'),
        onSelect: () =>
          filterBy(name, 'is missing', null, trans.__('is missing'))
      },
      ...(column?.kind === 'string'
        ? [
            {
              label: trans.__('Only rows that contain …'),
              onSelect: () => void askText(name)
            }
          ]
        : []),
      {
        label: trans.__('Hide'),
        beginsGroup: true,
        isDisabled: columns.length < 2,
        onSelect: () => onLayout(hideColumn(layout, name))
      },
      ...(
        [
          [trans.__('Move to the left'), -1],
          [trans.__('Move to the right'), 1],
          [trans.__('Move to the start'), -columns.length]
        ] as const
      ).map(([label, by]) => ({
        label,
        onSelect: () => onLayout(moveColumn(props.columns, layout, name, by))
      })),
      {
        label: trans.__('Copy name'),
        beginsGroup: true,
        onSelect: () => void navigator.clipboard.writeText(name)
      },
      ...(props.onColumn
        ? [
            {
              label: trans.__('Add a step for this column'),
              onSelect: () => props.onColumn?.(name)
            }
          ]
        : [])
    ]);
  };
  const askText = async (name: string) => {
    const answers = await ask({
      title: trans.__('Rows that contain a text'),
      accept: trans.__('Filter'),
      questions: [{ name: 'text', label: name, isRequired: true }]
    });
    if (answers?.text) {
      filterBy(name, 'contains', answers.text, answers.text);
    }
  };
  const go = async () => {
    const answers = await ask({
      title: trans.__('Go to'),
      accept: trans.__('Go'),
      questions: [
        {
          name: 'row',
          label: trans.__('Row (1 to %1)', formatCount(shown.rows))
        },
        {
          name: 'column',
          label: trans.__('Column'),
          kind: 'choice',
          choices: [
            { value: '', label: '' },
            ...columns.map(({ name }) => ({ value: name, label: name }))
          ]
        }
      ]
    });
    if (answers) {
      const row = Math.min(
        Math.max(Number(answers.row.replace(/\D/g, '')) || 1, 1),
        shown.rows
      );
      const column = columns.findIndex(({ name }) => name === answers.column);
      setJump({ row: row - 1, column: column < 0 ? undefined : column });
    }
  };
  const readWhole = (row: number, column: string) =>
    void backend
      .cell(shown.view, row, column)
      .then(reply => setCell({ name: column, value: reply.value ?? 'null' }))
      .catch((reason: unknown) => setError(ApiError.of(reason)));

  return (
    <section className="atelier-Rows" aria-label={trans.__('Rows')}>
      <div className="atelier-Grid-bar">
        <span className="atelier-muted">
          {props.note ? `${props.note}: ` : ''}
          {props.isWhole
            ? trans.__(
                '%1 rows, %2 columns',
                formatCount(shown.rows),
                columns.length
              )
            : trans.__(
                'first %1 rows, %2 columns',
                formatCount(shown.rows),
                columns.length
              )}
        </span>
        {arrangement.sort.map(({ column, descending }) => (
          <button
            key={`sort-${column}`}
            type="button"
            className="atelier-Filter-chip"
            title={trans.__('Remove this order')}
            onClick={() => clear({ sort: [] })}
          >
            {`${descending ? '▼' : '▲'} ${column} ×`}
          </button>
        ))}
        {arrangement.filters.map((filter, index) => (
          <button
            key={`filter-${index}`}
            type="button"
            className="atelier-Filter-chip"
            title={trans.__('Remove this filter')}
            onClick={() =>
              clear({
                filters: arrangement.filters.filter(one => one !== filter)
              })
            }
          >
            {`${filter.column}: ${filter.label} ×`}
          </button>
        ))}
        <span className="atelier-muted" role="status">
          {copied}
        </span>
        <span className="atelier-Grid-actions">
          <button
            type="button"
            className="atelier-Button"
            aria-haspopup="dialog"
            aria-expanded={isChoosing}
            onClick={() => setChoosing(!isChoosing)}
          >
            {layout.hidden.length
              ? trans.__('Columns (%1 hidden)', layout.hidden.length)
              : trans.__('Columns')}
          </button>
          <Button label={trans.__('Go to …')} onClick={() => void go()} />
          <button
            type="button"
            className="atelier-TextButton"
            aria-pressed={isPlain}
            onClick={() => setPlain(!isPlain)}
          >
            {trans.__('View as table')}
          </button>
        </span>
      </div>
      {isChoosing && (
        <ColumnsPanel
          columns={props.columns}
          layout={layout}
          onLayout={onLayout}
          onJump={name =>
            setJump({
              column: columns.findIndex(column => column.name === name)
            })
          }
          onClose={() => setChoosing(false)}
        />
      )}
      <ErrorBar error={error} dismiss={() => setError(null)} />
      {isPlain ? (
        <PlainRows key={shown.view} source={source} />
      ) : (
        <DataTable
          label={trans.__(
            'Rows as a picture; “View as table” shows them as a table.'
          )}
          source={source}
          profiles={profiles}
          onProfile={profile}
          sortOf={name => {
            const key = arrangement.sort.find(({ column }) => column === name);
            return key ? (key.descending ? 'down' : 'up') : null;
          }}
          onHeader={headerMenu}
          onBar={(name, bar) =>
            filterBy(name, bar.filter.operator, bar.filter.value, bar.label)
          }
          onCell={readWhole}
          onCopy={copy}
          onError={reason => setError(ApiError.of(reason))}
          jump={jump}
        />
      )}
      {cell && (
        <div className="atelier-Cell" role="status">
          <strong>{cell.name}</strong>
          <pre tabIndex={0}>{cell.value}</pre>
          <Button label={trans.__('Close')} onClick={() => setCell(null)} />
        </div>
      )}
    </section>
  );
}
