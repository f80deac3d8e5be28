/** The list of jobs: filtered, live, with what can be done with those that are selected. */
import * as React from 'react';

import {
  EmptyState,
  ErrorBar,
  ErrorState,
  List,
  LoadingState,
  useChecks
} from '../components';
import { useStudio } from '../frame';
import { JobBulkBar } from './JobBulkBar';
import { JobDrawer } from './JobDrawer';
import { JobFilters } from './JobFilters';
import { jobColumns } from './columns';
import { IJobFilter, useJobs } from './useJobs';

const FIRST_JOB = `import kernel_tools as kt

job = kt.jobs.submit("train.py", params={"max_depth": 6}, experiment="census")
job.status, job.logs()`;

const NO_FILTER: IJobFilter = { groups: [], experiment: '', text: '' };

export function JobsList(): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const [filter, setFilter] = React.useState(NO_FILTER);
  const [selected, setSelected] = React.useState<string | null>(null);
  const jobs = useJobs(filter);
  const { data, error } = jobs;
  const root = React.useRef<HTMLDivElement>(null);
  const checks = useChecks(data ?? [], job => job.name, JSON.stringify(filter));
  const columns = React.useMemo(
    () => jobColumns(studio),
    [studio, studio.settings]
  );
  const isFiltered = JSON.stringify(filter) !== JSON.stringify(NO_FILTER);
  if (data === null && error && !isFiltered) {
    return (
      <ErrorState
        title={trans.__('The jobs could not be read')}
        error={error}
        retry={jobs.refresh}
      />
    );
  }
  if (data?.length === 0 && !isFiltered) {
    return (
      <EmptyState
        title={trans.__('No jobs yet')}
        text={trans.__(
          'A script, a notebook or a function becomes a job that goes on when the kernel, the browser or the server ends:'
        )}
        code={FIRST_JOB}
        action={{
          label: trans.__('Open the quickstart notebook'),
          onClick: () => studio.openQuickstart()
        }}
      />
    );
  }
  const current = data?.find(({ name }) => name === selected) ?? null;
  return (
    <div className="atelier-Runs" ref={root}>
      <div className="atelier-Runs-main">
        <JobFilters
          filter={filter}
          jobs={data ?? []}
          onChange={change => setFilter({ ...filter, ...change })}
        />
        <ErrorBar error={error} prefix={trans.__('Not up to date:')} />
        {checks.items.length > 0 && (
          <JobBulkBar jobs={checks.items} onClear={checks.clear} />
        )}
        {data === null ? (
          <LoadingState rows={12} />
        ) : data.length === 0 ? (
          <p className="atelier-muted">
            {trans.__('No job matches.')}{' '}
            <button
              type="button"
              className="atelier-TextButton"
              onClick={() => setFilter(NO_FILTER)}
            >
              {trans.__('Show all jobs')}
            </button>
          </p>
        ) : (
          <List
            label={trans.__('Jobs')}
            items={data}
            columns={columns}
            identify={job => job.name}
            nameOf={job => job.name}
            selected={selected}
            onSelect={job => setSelected(job?.name ?? null)}
            onOpen={job => studio.open(`job/${job.name}`)}
            hasMore={jobs.hasMore}
            isLoadingMore={jobs.isLoadingMore}
            onLoadMore={jobs.loadMore}
            onFilterKey={() => root.current?.querySelector('input')?.focus()}
            checks={checks.checks}
          />
        )}
      </div>
      {current && <JobDrawer job={current} onClose={() => setSelected(null)} />}
    </div>
  );
}
