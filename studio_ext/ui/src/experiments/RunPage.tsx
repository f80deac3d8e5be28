/** One run: its numbers, its curves, its files, where it came from and what came of it. */
import * as React from 'react';

import type { RunDetail } from '../api';
import { ErrorBar, LineageGraph, Loaded, Tabs, useAction } from '../components';
import { DebuggerTab } from '../debugger/DebuggerTab';
import { ProfilerTab } from '../debugger/ProfilerTab';
import { usePageTitle, useResource, useStudio } from '../frame';
import { Artifacts } from './Artifacts';
import { Charts } from './Charts';
import { RunHeader } from './RunHeader';
import { RunLog } from './RunLog';
import { RunOverview } from './RunOverview';

export function RunPage(props: {
  id: string;
  /** The part in sight at first. */
  tab?: string;
}): React.ReactElement {
  const { client, trans } = useStudio();
  const detail = useResource(`run/${props.id}`, signal =>
    client.run(props.id, signal)
  );
  usePageTitle(detail.data?.run.name);
  return (
    <div className="atelier-PageBody">
      <Loaded
        resource={detail}
        failure={trans.__('The run could not be read')}
        rows={12}
      >
        {data => <RunView detail={data} tab={props.tab} />}
      </Loaded>
    </div>
  );
}

function RunView(props: {
  detail: RunDetail;
  tab?: string;
}): React.ReactElement {
  const { trans } = useStudio();
  const { detail } = props;
  const { run, origin_files } = detail;
  const action = useAction();
  const output = origin_files.find(({ path }) => path === 'output/output.txt');
  return (
    <>
      <RunHeader detail={detail} action={action} />
      <ErrorBar error={action.error} dismiss={action.dismiss} />
      {run.lifecycle === 'deleted' && (
        <p className="atelier-Reason" role="status">
          {trans.__(
            'This run is deleted: searches leave it out, and it cannot be changed. Restore it from its menu, before “atelier experiments gc” removes it.'
          )}
        </p>
      )}
      <Tabs
        label={trans.__('Parts of the run')}
        initial={props.tab}
        tabs={[
          {
            id: 'overview',
            label: trans.__('Overview'),
            render: () => <RunOverview detail={detail} />
          },
          {
            id: 'charts',
            label: trans.__('Charts'),
            render: () => <Charts run={run} />
          },
          {
            id: 'artifacts',
            label: trans.__('Artifacts (%1)', detail.artifact_count),
            render: () => <Artifacts detail={detail} />
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
          },
          {
            id: 'lineage',
            label: trans.__('Lineage'),
            render: () => <LineageGraph node={`run/${run.id}`} />
          },
          ...(output
            ? [
                {
                  id: 'logs',
                  label: trans.__('Logs'),
                  render: () => <RunLog run={run} artifact={output} />
                }
              ]
            : [])
        ]}
      />
    </>
  );
}
