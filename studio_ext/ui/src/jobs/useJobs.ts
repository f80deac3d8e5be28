/** The rows of the jobs list, kept up to date by what the server tells. */
import * as React from 'react';

import type { JobRow } from '../api';
import {
  IPagedResource,
  useLiveJobs,
  usePagedResource,
  useStudio
} from '../frame';
import { GROUPS, StateGroup } from './state';
import { listJobs } from './calls';

/** Milliseconds between two readings of a list that jobs come into or leave. */
const CALM = 500;

export interface IJobFilter {
  groups: StateGroup[];
  experiment: string;
  text: string;
}

export function useJobs(filter: IJobFilter): IPagedResource<JobRow> {
  const { client } = useStudio();
  const state = filter.groups.flatMap(group => GROUPS[group]);
  const jobs = usePagedResource<JobRow>(
    JSON.stringify(['jobs', filter]),
    job => job.name,
    async (query, signal) => {
      const { experiment, text } = filter;
      const reply = await listJobs(
        client,
        { ...query, state, experiment, text: text.trim() },
        signal
      );
      return { items: reply.jobs, next: reply.next_page_token };
    }
  );
  const [news, setNews] = React.useState<ReadonlyMap<string, JobRow>>(
    new Map()
  );
  const { data, refresh } = jobs;
  // What was read is newer than what was told before.
  React.useEffect(() => setNews(new Map()), [data]);
  const timer = React.useRef(0);
  React.useEffect(() => () => window.clearTimeout(timer.current), []);
  useLiveJobs({}, batch => {
    if (batch.jobs.length) {
      setNews(known => {
        const next = new Map(known);
        batch.jobs.forEach(job => next.set(job.name, job));
        return next;
      });
    }
    if ((batch.is_set_changed || batch.must_reload) && !timer.current) {
      timer.current = window.setTimeout(() => {
        timer.current = 0;
        refresh();
      }, CALM);
    }
  });
  const shown = React.useMemo(
    () => data && data.map(job => news.get(job.name) ?? job),
    [data, news]
  );
  return { ...jobs, data: shown };
}
