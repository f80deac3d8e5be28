/** The runs of an experiment: filtered, sorted and paged by the server, with a drawer for the selected one. */
import * as React from 'react';

import { ApiError, RunRecord } from '../api';
import {
  EmptyState,
  ErrorBar,
  ErrorState,
  FilterBox,
  IColumn,
  ISort,
  List,
  LoadingState
} from '../components';
import { usePagedResource, useStudio } from '../frame';
import { RunDrawer } from './RunDrawer';
import { runColumns } from './columns';

export function RunsTable(props: {
  experiment: string | null;
}): React.ReactElement {
  const studio = useStudio();
  const { client, trans } = studio;
  const { experiment } = props;
  const [filter, setFilter] = React.useState('');
  const [sort, setSort] = React.useState<ISort | null>(null);
  const [selected, setSelected] = React.useState<RunRecord | null>(null);
  const filterBox = React.useRef<HTMLInputElement>(null);

  const orderBy = sort
    ? `${sort.key} ${sort.isDescending ? 'DESC' : 'ASC'}`
    : '';
  const runs = usePagedResource<RunRecord>(
    JSON.stringify(['runs', experiment, filter, orderBy]),
    run => run.id,
    async (query, signal) => {
      const order_by = orderBy ? [orderBy] : [];
      const reply = await client.runs(
        { ...query, experiment, filter, order_by },
        signal
      );
      return { items: reply.runs, next: reply.next_page_token };
    }
  );

  const { data, error } = runs;
  // While another order or filter loads, the columns stay where they are.
  const lastColumns = React.useRef<IColumn<RunRecord>[]>([]);
  const columns = React.useMemo(
    () =>
      data === null || (data.length === 0 && lastColumns.current.length > 0)
        ? lastColumns.current
        : runColumns(data, experiment !== null, studio),
    [data, experiment, studio, studio.settings]
  );
  lastColumns.current = columns;

  const filterError = isFilterError(error, filter) ? error : null;
  const current = selected
    ? (data?.find(run => run.id === selected.id) ?? selected)
    : null;
  return (
    <div className="atelier-Runs">
      <div className="atelier-Runs-main">
        <FilterBox
          ref={filterBox}
          label={trans.__('Filter runs')}
          placeholder={'metrics.auc > 0.9 and params.max_depth = "6"'}
          value={filter}
          error={filterError?.message ?? null}
          onSubmit={setFilter}
        />
        {data !== null && error && !filterError && (
          <ErrorBar error={error} prefix={trans.__('Not up to date:')} />
        )}
        <RunsBody
          runs={runs}
          error={filterError ? null : error}
          hasFilterError={filterError !== null}
          filter={filter}
          clearFilter={() => setFilter('')}
        >
          {items => (
            <List
              label={trans.__('Runs')}
              items={items}
              columns={columns}
              identify={run => run.id}
              selected={current?.id ?? null}
              onSelect={run => setSelected(run)}
              onOpen={run => studio.open(`run/${run.id}`)}
              sort={sort}
              onSort={setSort}
              hasMore={runs.hasMore}
              isLoadingMore={runs.isLoadingMore}
              onLoadMore={runs.loadMore}
              onFilterKey={() => filterBox.current?.focus()}
            />
          )}
        </RunsBody>
      </div>
      {current && <RunDrawer run={current} onClose={() => setSelected(null)} />}
    </div>
  );
}

function RunsBody(props: {
  runs: { data: RunRecord[] | null; refresh(): void };
  error: ApiError | null;
  hasFilterError: boolean;
  filter: string;
  clearFilter(): void;
  children(items: RunRecord[]): React.ReactElement;
}): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const { data, refresh } = props.runs;
  if (props.hasFilterError) {
    return <div className="atelier-Runs-blank" />;
  }
  if (data === null) {
    return props.error ? (
      <ErrorState
        title={trans.__('The runs could not be read')}
        error={props.error}
        retry={refresh}
      />
    ) : (
      <LoadingState rows={12} />
    );
  }
  if (data.length === 0) {
    return props.filter ? (
      <EmptyState
        title={trans.__('No run matches')}
        text={trans.__('None of the runs here fulfils “%1”.', props.filter)}
        action={{
          label: trans.__('Show all runs'),
          onClick: props.clearFilter
        }}
      />
    ) : (
      <EmptyState
        title={trans.__('No runs yet')}
        text={trans.__('This experiment has no runs.')}
      />
    );
  }
  return props.children(data);
}

/** Whether the server refused the filter, and not something else. */
function isFilterError(error: ApiError | null, filter: string): boolean {
  return (
    filter !== '' &&
    error !== null &&
    (error.status === 400 || error.status === 422)
  );
}
