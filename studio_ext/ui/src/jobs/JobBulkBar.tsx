/** What can be done with all the jobs that are selected. */
import * as React from 'react';

import type { JobRow } from '../api';
import { Button, ErrorBar, confirmLoss, useAction } from '../components';
import { useStudio } from '../frame';
import { changeJobs } from './calls';
import { isEnd } from './state';

/** Jobs in one request. */
const PART = 200;
/** Names and reasons that are told in full. */
const MAX_TOLD = 5;

export function JobBulkBar(props: {
  jobs: JobRow[];
  onClear(): void;
}): React.ReactElement {
  const { client, trans } = useStudio();
  const { jobs } = props;
  const action = useAction();
  const [failures, setFailures] = React.useState<string[]>([]);
  const ended = jobs.filter(({ state }) => isEnd(state));
  const open = jobs.filter(({ state }) => !isEnd(state));

  const change = async (chosen: JobRow[], verb: 'stop' | 'delete') => {
    const names = chosen.map(({ name }) => name);
    const failed: string[] = [];
    const isDone = await action.run(async () => {
      for (let start = 0; start < names.length; start += PART) {
        const part = names.slice(start, start + PART);
        const reply = await changeJobs(client, part, verb);
        failed.push(...Object.values(reply.failures));
      }
    });
    setFailures(failed);
    if (isDone && failed.length === 0) {
      props.onClear();
    }
  };
  const stop = async () => {
    const isSure = await confirmLoss({
      title: trans._n('Stop %1 job?', 'Stop %1 jobs?', open.length),
      text: trans.__(
        '%1 — what they have not saved is lost; logs, outputs and metrics stay.',
        namesOf(open)
      ),
      keep: trans.__('Let them run'),
      lose: trans.__('Stop')
    });
    if (isSure) {
      await change(open, 'stop');
    }
  };
  const remove = async () => {
    const isSure = await confirmLoss({
      title: trans._n('Delete %1 job?', 'Delete %1 jobs?', ended.length),
      text: trans.__(
        '%1 — their logs, checkpoints and outputs are lost for good; their runs stay.',
        namesOf(ended)
      ),
      keep: trans.__('Keep them'),
      lose: trans.__('Delete')
    });
    if (isSure) {
      await change(ended, 'delete');
    }
  };
  return (
    <section className="atelier-Bulk" aria-label={trans.__('Selected jobs')}>
      <div className="atelier-Buttons">
        <strong role="status">
          {trans._n('%1 job selected', '%1 jobs selected', jobs.length)}
        </strong>
        <Button
          label={trans.__('Stop')}
          isDisabled={open.length === 0}
          isBusy={action.isBusy}
          title={trans._n(
            '%1 of them has not ended.',
            '%1 of them have not ended.',
            open.length
          )}
          onClick={() => void stop()}
        />
        <Button
          kind="danger"
          label={trans.__('Delete…')}
          isDisabled={ended.length === 0}
          isBusy={action.isBusy}
          title={trans._n(
            '%1 of them has ended.',
            '%1 of them have ended.',
            ended.length
          )}
          onClick={() => void remove()}
        />
        <Button label={trans.__('Clear')} onClick={props.onClear} />
      </div>
      <ErrorBar error={action.error} dismiss={action.dismiss} />
      {failures.length > 0 && (
        <ul role="alert">
          {failures.slice(0, MAX_TOLD).map((reason, index) => (
            <li key={index}>{reason}</li>
          ))}
          {failures.length > MAX_TOLD && (
            <li>{trans.__('and %1 more', failures.length - MAX_TOLD)}</li>
          )}
        </ul>
      )}
    </section>
  );
}

function namesOf(jobs: JobRow[]): string {
  const names = jobs.slice(0, MAX_TOLD).map(({ name }) => name);
  return names.join(', ') + (jobs.length > MAX_TOLD ? ', …' : '');
}
