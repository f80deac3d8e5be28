/** One job: how far it is, what it prints, what it uses, what it left, and what it was told. */
import * as React from 'react';

import type { JobDetail, JobRow } from '../api';
import { EmptyState, ErrorBar, Loaded, Tabs, useAction } from '../components';
import { DebuggerTab } from '../debugger/DebuggerTab';
import { ProfilerTab } from '../debugger/ProfilerTab';
import { Charts } from '../experiments/Charts';
import { useLiveJobs, useResource, useStudio } from '../frame';
import { JobHeader } from './JobHeader';
import { JobLog } from './JobLog';
import { JobOutputs } from './JobOutputs';
import { JobOverview } from './JobOverview';
import { JobResources } from './JobResources';
import { JobSpec } from './JobSpec';
import { readJob } from './calls';
import { isEnd } from './state';

/** Milliseconds between two readings of a job that goes on. */
const CALM = 500;

export function JobPage(props: { name: string }): React.ReactElement {
  const studio = useStudio();
  const { client, trans } = studio;
  const { name } = props;
  const [isDeleted, setDeleted] = React.useState(false);
  const detail = useResource(`job/${name}`, signal =>
    readJob(client, name, signal)
  );
  if (isDeleted) {
    return (
      <div className="atelier-PageBody">
        <EmptyState
          title={trans.__('The job %1 was deleted', name)}
          text={trans.__('Its run, if it had one, is still there.')}
          action={{
            label: trans.__('All jobs'),
            onClick: () => studio.open('jobs')
          }}
        />
      </div>
    );
  }
  return (
    <div className="atelier-PageBody">
      <Loaded
        resource={detail}
        failure={trans.__('The job could not be read')}
        rows={12}
      >
        {data => (
          <JobView
            detail={data}
            refresh={detail.refresh}
            onDeleted={() => setDeleted(true)}
          />
        )}
      </Loaded>
    </div>
  );
}

function JobView(props: {
  detail: JobDetail;
  refresh(): void;
  onDeleted(): void;
}): React.ReactElement {
  const { trans } = useStudio();
  const { refresh } = props;
  const job = useLatest(props.detail.job, refresh);
  const detail = { ...props.detail, job };
  const action = useAction();
  const { run, output_count, attempt_count } = detail;
  return (
    <>
      <JobHeader detail={detail} action={action} onDeleted={props.onDeleted} />
      <ErrorBar error={action.error} dismiss={action.dismiss} />
      <Tabs
        label={trans.__('Parts of the job')}
        tabs={[
          {
            id: 'overview',
            label: trans.__('Overview'),
            render: () => <JobOverview detail={detail} />
          },
          {
            id: 'logs',
            label: trans.__('Logs'),
            render: () => <JobLog job={job} attempts={attempt_count} />
          },
          ...(run
            ? [
                {
                  id: 'charts',
                  label: trans.__('Charts'),
                  render: () => <Charts run={run} />
                },
                {
                  id: 'debugger',
                  label: trans.__('Debugger'),
                  render: () => <DebuggerTab run={run} />
                },
                {
                  id: 'profiler',
                  label: trans.__('Profiler'),
                  render: () => <ProfilerTab run={run} />
                }
              ]
            : []),
          {
            id: 'resources',
            label: trans.__('Resources'),
            render: () => <JobResources job={job} attempts={attempt_count} />
          },
          {
            id: 'outputs',
            label: trans.__('Outputs (%1)', output_count),
            render: () => <JobOutputs detail={detail} />
          },
          {
            id: 'spec',
            label: trans.__('Spec'),
            render: () => <JobSpec detail={detail} />
          }
        ]}
      />
    </>
  );
}

/** The job as it was told last; what else the page shows is read again when the job enters another state. */
function useLatest(known: JobRow, refresh: () => void): JobRow {
  const [told, setTold] = React.useState<JobRow | null>(null);
  React.useEffect(() => setTold(null), [known]);
  const timer = React.useRef(0);
  React.useEffect(() => () => window.clearTimeout(timer.current), []);
  useLiveJobs(isEnd(known.state) ? null : { job: known.name }, batch => {
    for (const job of batch.jobs) {
      setTold(job);
      const isNew =
        job.state !== known.state || job.attempts !== known.attempts;
      if (isNew && !timer.current) {
        timer.current = window.setTimeout(() => {
          timer.current = 0;
          refresh();
        }, CALM);
      }
    }
  });
  return told ?? known;
}
