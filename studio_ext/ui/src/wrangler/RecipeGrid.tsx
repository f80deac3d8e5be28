/** The rows of a view: the grid, sorted and filtered by its headers, with a plain table for screen readers. */
import { tableFromIPC } from 'apache-arrow';
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
import {
  GridModel,
  IFilter,
  IGridBackend,
  IGridSource,
  IProfile,
  ISort
} from './grid/model';

/** Rows of the plain table at a time. */
const PLAIN_ROWS = 100;

export interface IRecipeGridProps {
  backend: IGridBackend;
  view: { view: string; rows: number };
  columns: api.ColumnDetail[];
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
  const { backend, view, columns, before } = props;
  const [arrangement, setArrangement] = React.useState(PLAIN);
  const [shown, setShown] = React.useState(view);
  const [error, setError] = React.useState<ApiError | null>(null);
  const [profiles, setProfiles] = React.useState(
    () => new Map<string, IProfile>()
  );
  const [isPlain, setPlain] = React.useState(false);
  const [jump, setJump] = React.useState<{
    row: number;
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
    <section className="atelier-DataTable" aria-label={trans.__('Rows')}>
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
        <span className="atelier-Grid-actions">
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

/** The rows as a table of HTML, a page at a time. */
function PlainRows(props: { source: IGridSource }): React.ReactElement {
  const { trans } = useStudio();
  const { source } = props;
  const [start, setStart] = React.useState(0);
  const [rows, setRows] = React.useState<string[][]>([]);
  const columns = source.columns.slice(0, 100);
  React.useEffect(() => {
    const abort = new AbortController();
    const count = Math.min(PLAIN_ROWS, source.rowCount - start);
    if (count > 0) {
      source
        .window(
          start,
          count,
          columns.map(({ name }) => name),
          abort.signal
        )
        .then(bytes => {
          const table = tableFromIPC(bytes);
          const vectors = columns.map(({ name }) => table.getChild(name));
          setRows(
            Array.from({ length: table.numRows }, (_, row) =>
              vectors.map((vector, place) => {
                const value = vector?.get(row) as unknown;
                return value === null || value === undefined
                  ? 'null'
                  : GridModel.text(value, columns[place].kind);
              })
            )
          );
        })
        .catch(() => undefined);
    }
    return () => abort.abort();
  }, [source, start]);
  return (
    <div className="atelier-Grid-plain" tabIndex={0} role="group">
      <table>
        <caption>
          {trans.__(
            'Rows %1 to %2 of %3',
            formatCount(start + 1),
            formatCount(start + rows.length),
            formatCount(source.rowCount)
          )}
        </caption>
        <thead>
          <tr>
            {columns.map(({ name, kind }) => (
              <th key={name} scope="col" title={kind}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.map((text, place) => (
                <td key={place}>{text}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <div className="atelier-Grid-pages">
        <Button
          label={trans.__('Rows before')}
          isDisabled={start === 0}
          onClick={() => setStart(Math.max(0, start - PLAIN_ROWS))}
        />
        <Button
          label={trans.__('Next rows')}
          isDisabled={start + PLAIN_ROWS >= source.rowCount}
          onClick={() => setStart(start + PLAIN_ROWS)}
        />
      </div>
    </div>
  );
}
