/** The list of jobs: filtered, live, with what can be done with those that are selected. */
import * as React from 'react';

import type { JobRow } from '../api';
import {
  EmptyState,
  ErrorBar,
  ErrorState,
  IChecks,
  List,
  LoadingState
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
  const checks = useChecks(data ?? [], JSON.stringify(filter));
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
        {checks.jobs.length > 0 && (
          <JobBulkBar jobs={checks.jobs} onClear={checks.clear} />
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

/** The jobs that are chosen; another filter chooses none. */
function useChecks(
  jobs: JobRow[],
  key: string
): { jobs: JobRow[]; checks: IChecks<JobRow>; clear(): void } {
  const [chosen, setChosen] = React.useState<ReadonlySet<string>>(new Set());
  const clear = () => setChosen(new Set());
  React.useEffect(clear, [key]);
  const found = jobs.filter(({ name }) => chosen.has(name));
  return {
    jobs: found,
    clear,
    checks: {
      isChecked: ({ name }) => chosen.has(name),
      onCheck: ({ name }, index, from) => {
        const next = new Set(chosen);
        const isAdded = !next.delete(name);
        const [start, end] = [
          Math.min(from ?? index, index),
          Math.max(from ?? index, index)
        ];
        if (isAdded) {
          jobs.slice(start, end + 1).forEach(job => next.add(job.name));
        }
        setChosen(next);
      },
      onCheckAll: () =>
        setChosen(
          found.length ? new Set() : new Set(jobs.map(({ name }) => name))
        ),
      state:
        found.length === 0
          ? 'none'
          : found.length === jobs.length
            ? 'all'
            : 'some'
    }
  };
}
