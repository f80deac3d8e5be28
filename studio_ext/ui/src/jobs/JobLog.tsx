/** What a job prints, attempt by attempt. */
import * as React from 'react';

import type { JobRow } from '../api';
import { LogPanel, useLog } from '../components/log';
import { useLiveJobs, useStudio } from '../frame';
import { AttemptField } from './AttemptField';
import { jobLog } from './calls';
import { isEnd } from './state';

export function JobLog(props: {
  job: JobRow;
  attempts: number;
}): React.ReactElement {
  const { client } = useStudio();
  const { job } = props;
  const newest = Math.max(1, props.attempts);
  const [chosen, setChosen] = React.useState<number | null>(null);
  const attempt = chosen ?? newest;
  const isOpen = !isEnd(job.state) && attempt === newest;
  const source = React.useMemo(
    () => jobLog(client, job.name, attempt),
    [client, job.name, attempt]
  );
  const log = useLog(source, isOpen);
  useLiveJobs(
    isOpen ? { job: job.name, attempt } : null,
    ({ log_size: size }) => {
      if (size !== null) {
        log.reach(size);
      }
    }
  );
  return (
    <LogPanel source={source} log={log} isOpen={isOpen}>
      <AttemptField
        attempts={props.attempts}
        value={chosen}
        onChange={setChosen}
      />
    </LogPanel>
  );
}
