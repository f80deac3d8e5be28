/** The runs of an experiment: any number of them, filtered, sorted and grouped by the server, and what is done with them. */
import * as React from 'react';

import { ApiError, ViewSettings } from '../api';
import {
  EmptyState,
  ErrorBar,
  ErrorState,
  FilterBox,
  IColumn,
  List,
  LoadingState,
  openMenu
} from '../components';
import { useStudio } from '../frame';
import { GroupDrawer, RunDrawer } from './RunDrawer';
import { groupName, tableColumns } from './columns';
import { BulkBar } from './table/BulkBar';
import { ColumnChooser } from './table/ColumnChooser';
import { TableBar } from './table/TableBar';
import { completeFilter } from './table/completion';
import type { TableRow } from './table/levels';
import { ITableMemory, useSettings } from './table/memory';
import { useFields } from './table/fields';
import { useSelection } from './table/selection';
import { goalOf, orderOf, sortOf } from './table/settings';
import { RunTree } from './table/tree';
import { useRunTable } from './table/useRunTable';

export interface IRunsTableProps {
  experiment: string | null;
  memory: ITableMemory | null;
}

export function RunsTable(props: IRunsTableProps): React.ReactElement {
  const [settings, change] = useSettings(props.experiment, props.memory);
  return settings === null ? (
    <div className="atelier-Runs">
      <LoadingState rows={12} />
    </div>
  ) : (
    <SetTable {...props} settings={settings} onChange={change} />
  );
}

interface ISetTableProps extends IRunsTableProps {
  settings: ViewSettings;
  onChange(change: Partial<ViewSettings>): void;
}

function SetTable(props: ISetTableProps): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const { experiment, settings, onChange } = props;
  const [selected, setSelected] = React.useState<TableRow | null>(null);
  const [isChoosing, setChoosing] = React.useState(false);
  const filterBox = React.useRef<HTMLInputElement>(null);

  const [hasRows, setHasRows] = React.useState(false);
  const fields = useFields(experiment, hasRows || settings.group_by !== null);
  const complete = React.useCallback(
    (text: string, caret: number) => completeFilter(text, caret, fields),
    [fields]
  );
  const table = useRunTable(experiment, settings, fields);
  const { tree, error } = table;
  React.useEffect(() => setHasRows(tree !== null), [tree === null]);
  const columns = React.useMemo(
    () =>
      tableColumns(table.columns, {
        studio,
        keys: table.keys,
        best: table.best,
        groupBy: settings.group_by
      }),
    [
      table.columns,
      table.keys,
      JSON.stringify(table.best),
      settings.group_by,
      studio.settings
    ]
  );
  const ids = table.columns.map(({ id }) => id);
  const selection = useSelection(experiment, settings, tree, ids);

  const sort = sortOf(settings.order_by);
  const resize = (id: string, width: number) =>
    onChange({
      columns: table.columns.map(column =>
        column.id === id ? { id, width } : column
      )
    });
  const openColumnMenu = (column: IColumn<TableRow>, anchor: HTMLElement) => {
    const { sortKey } = column;
    const place = ids.indexOf(column.id);
    const move = (step: number) => {
      const next = [...table.columns];
      const [moved] = next.splice(place, 1);
      next.splice(place + step, 0, moved);
      onChange({ columns: next });
    };
    const metric = column.id.startsWith('metrics.')
      ? column.id.slice('metrics.'.length)
      : null;
    const goal = metric === null ? null : goalOf(metric, settings.goals);
    const orders = [false, true].map(isDescending => ({
      label: isDescending
        ? trans.__('Sort Descending')
        : trans.__('Sort Ascending'),
      isDisabled: !sortKey,
      onSelect: () =>
        onChange({ order_by: orderOf({ key: sortKey ?? '', isDescending }) })
    }));
    const goals = (['max', 'min'] as const).map((wanted, index) => ({
      label:
        wanted === 'max'
          ? trans.__('The Highest Is the Best')
          : trans.__('The Lowest Is the Best'),
      isToggled: goal === wanted,
      beginsGroup: index === 0,
      onSelect: () =>
        onChange({ goals: { ...settings.goals, [metric ?? '']: wanted } })
    }));
    openMenu(anchor, [
      ...orders,
      ...(metric === null ? [] : goals),
      {
        label: trans.__('Move Left'),
        beginsGroup: true,
        isDisabled: place <= 1,
        onSelect: () => move(-1)
      },
      {
        label: trans.__('Move Right'),
        isDisabled: place === 0 || place === ids.length - 1,
        onSelect: () => move(1)
      },
      {
        label: trans.__('Hide'),
        isDisabled: place === 0,
        onSelect: () =>
          onChange({ columns: table.columns.filter((_, at) => at !== place) })
      },
      { label: trans.__('Columns…'), onSelect: () => setChoosing(true) }
    ]);
  };

  const filterError = isFilterError(error, settings.filter) ? error : null;
  const isTree = settings.is_nested || settings.group_by !== null;
  return (
    <div className="atelier-Runs">
      <div className="atelier-Runs-main">
        <FilterBox
          ref={filterBox}
          label={trans.__('Filter runs')}
          placeholder={'metrics.auc > 0.9 and params.max_depth = "6"'}
          value={settings.filter}
          error={filterError?.message ?? null}
          errorPosition={filterError?.position}
          onSubmit={filter => onChange({ filter })}
          complete={complete}
        />
        <TableBar
          experiment={experiment}
          settings={settings}
          fields={fields}
          status={describe(table.isCurrent ? tree : null, settings, trans)}
          isChoosing={isChoosing}
          onChange={onChange}
          onChoose={() => setChoosing(!isChoosing)}
        />
        {selection.runs.length > 0 && (
          <BulkBar
            runs={selection.runs}
            shown={settings.shown}
            columns={ids}
            note={selection.note}
            onClear={selection.clear}
          />
        )}
        <ErrorBar error={selection.error} />
        {tree && error && !filterError && (
          <ErrorBar error={error} prefix={trans.__('Not up to date:')} />
        )}
        <Body
          tree={tree}
          isCurrent={table.isCurrent}
          error={filterError ? null : error}
          hasFilterError={filterError !== null}
          settings={settings}
          refresh={table.refresh}
          onChange={onChange}
        >
          {rows => (
            <List
              label={trans.__('Runs')}
              items={rows}
              columns={columns}
              identify={row => row.id}
              nameOf={row =>
                row.kind === 'run'
                  ? row.run.name
                  : groupName(row, settings.group_by ?? '', trans)
              }
              selected={selected?.id ?? null}
              onSelect={row => setSelected(row)}
              onOpen={row =>
                row.kind === 'run'
                  ? studio.open(`run/${row.id}`)
                  : rows.toggle(row)
              }
              sort={sort}
              onSort={next => onChange({ order_by: orderOf(next) })}
              onFilterKey={() => filterBox.current?.focus()}
              checks={selection.checks}
              tree={
                isTree
                  ? {
                      branch: row => rows.branch(row),
                      onToggle: row => rows.toggle(row)
                    }
                  : undefined
              }
              isFresh={row => rows.isFresh(row)}
              onResize={resize}
              onColumnMenu={openColumnMenu}
            />
          )}
        </Body>
      </div>
      {isChoosing ? (
        <ColumnChooser
          columns={table.columns}
          fields={fields}
          isUsual={settings.columns === null}
          onChange={next => onChange({ columns: next })}
          onClose={() => setChoosing(false)}
        />
      ) : selected?.kind === 'run' ? (
        <RunDrawer
          key={selected.id}
          run={currentRun(tree, selected).run}
          onClose={() => setSelected(null)}
        />
      ) : selected ? (
        <GroupDrawer
          row={selected}
          title={groupName(selected, settings.group_by ?? '', trans)}
          goals={settings.goals}
          onClose={() => setSelected(null)}
        />
      ) : null}
    </div>
  );
}

function Body(props: {
  tree: RunTree | null;
  isCurrent: boolean;
  error: ApiError | null;
  hasFilterError: boolean;
  settings: ViewSettings;
  refresh(): void;
  onChange(change: Partial<ViewSettings>): void;
  children(rows: RunTree): React.ReactElement;
}): React.ReactElement {
  const { trans } = useStudio();
  const { tree, settings, onChange } = props;
  if (props.hasFilterError) {
    return <div className="atelier-Runs-blank" />;
  }
  if (tree === null || (!props.isCurrent && props.error)) {
    return props.error ? (
      <ErrorState
        title={trans.__('The runs could not be read')}
        error={props.error}
        retry={props.refresh}
      />
    ) : (
      <LoadingState rows={12} />
    );
  }
  if (tree.length > 0) {
    return props.children(tree);
  }
  if (settings.filter) {
    return (
      <EmptyState
        title={trans.__('No run matches')}
        text={trans.__('None of the runs here fulfils “%1”.', settings.filter)}
        action={{
          label: trans.__('Show all runs'),
          onClick: () => onChange({ filter: '' })
        }}
      />
    );
  }
  if (settings.shown !== 'active') {
    return (
      <EmptyState
        title={
          settings.shown === 'archived'
            ? trans.__('No archived runs')
            : trans.__('No deleted runs')
        }
        text={
          settings.shown === 'archived'
            ? trans.__('Archived runs leave the table, and stay in searches.')
            : trans.__('Deleted runs can be restored here.')
        }
        action={{
          label: trans.__('Show the other runs'),
          onClick: () => onChange({ shown: 'active' })
        }}
      />
    );
  }
  return (
    <EmptyState
      title={trans.__('No runs yet')}
      text={trans.__('This experiment has no runs.')}
    />
  );
}

/** The selected run as the table knows it now. */
function currentRun(
  tree: RunTree | null,
  selected: TableRow & { kind: 'run' }
): TableRow & { kind: 'run' } {
  const position = tree?.find(selected.id) ?? -1;
  const row = position >= 0 ? tree?.row(position) : undefined;
  return row?.kind === 'run' ? row : selected;
}

function describe(
  tree: RunTree | null,
  settings: ViewSettings,
  trans: ReturnType<typeof useStudio>['trans']
): string {
  if (tree === null) {
    return '';
  }
  const number = new Intl.NumberFormat();
  const { runs, groups } = tree.total;
  const count = trans._n('%2 run', '%2 runs', runs, number.format(runs));
  if (groups === 0) {
    return settings.is_nested && settings.group_by === null
      ? trans.__('%1 outermost', count)
      : count;
  }
  const shown =
    groups > 1000
      ? trans.__('the largest 1,000 of %1 groups', number.format(groups))
      : trans._n('%2 group', '%2 groups', groups, number.format(groups));
  return `${count}, ${shown}`;
}

/** Whether the server refused the filter, and not something else. */
function isFilterError(error: ApiError | null, filter: string): boolean {
  return (
    filter !== '' &&
    error !== null &&
    (error.status === 400 || error.status === 422)
  );
}
