/** What the Debugger has captured and found of a run: the rule board first, then layers, classes and tensors. */
import * as React from 'react';

import type { DebuggerReply, RunRecord } from '../api';
import { EmptyState, ITab, Loaded, Tabs } from '../components';
import { useLiveDebugger, useResource, useStudio } from '../frame';
import { Classes } from './Classes';
import { FindingsView } from './FindingsView';
import { Layers } from './Layers';
import { Tensors } from './Tensors';
import { readDebugger } from './calls';

const WATCH_CODE = `import kernel_tools as kt

hook = kt.debugger.watch(model, optimizer=optimizer)
# ... train as before ...
hook.close()`;

/** Milliseconds between two readings of a run that only goes on. */
const CALM = 1000;

/** What the parts of the view are told. */
export interface ICaptureView {
  run: RunRecord;
  reply: DebuggerReply;
  /** Changes when steps were captured or something was found. */
  version: number;
  isFinal: boolean;
}

export function DebuggerTab(props: { run: RunRecord }): React.ReactElement {
  const { client, trans } = useStudio();
  const { run } = props;
  const reply = useResource(`debugger/${run.id}`, signal =>
    readDebugger(client, run.id, signal)
  );
  const version = useVersion(
    run,
    isFinal(run, reply.data) ? null : reply.refresh
  );
  return (
    <Loaded
      resource={reply}
      failure={trans.__('What the Debugger found could not be read')}
      rows={10}
    >
      {data =>
        data.capture ? (
          <DebuggerView
            run={run}
            reply={data}
            version={version}
            isFinal={isFinal(run, data)}
          />
        ) : (
          <NotWatched run={run} />
        )
      }
    </Loaded>
  );
}

function isFinal(run: RunRecord, reply: DebuggerReply | null): boolean {
  const isCaptured = reply?.capture ? reply.capture.is_over : false;
  return run.status !== 'RUNNING' && (isCaptured || reply?.capture === null);
}

/**
 * A number that grows when something is found, at once, and when steps are captured, at most once a second.
 *
 * `refresh` is called each time; null watches nothing.
 */
export function useVersion(
  run: RunRecord,
  refresh: (() => void) | null
): number {
  const [version, setVersion] = React.useState(0);
  const timer = React.useRef(0);
  React.useEffect(() => () => window.clearTimeout(timer.current), []);
  const tell = () => {
    window.clearTimeout(timer.current);
    timer.current = 0;
    setVersion(known => known + 1);
    refresh?.();
  };
  useLiveDebugger(refresh ? { run_id: run.id } : null, batch => {
    if (batch.has_findings) {
      tell();
    } else if (batch.has_steps && !timer.current) {
      timer.current = window.setTimeout(tell, CALM);
    }
  });
  return version;
}

function NotWatched(props: { run: RunRecord }): React.ReactElement {
  const { trans } = useStudio();
  return (
    <EmptyState
      title={trans.__('This run was not watched')}
      text={
        props.run.status === 'RUNNING'
          ? trans.__(
              'Watch the model in the training, or submit the job with debugger=kt.debugger.Config(). What is found shows here within a second.'
            )
          : trans.__(
              'Watch the model of the next one: rules look at its gradients, updates and activations while it trains, and say what is wrong. Jobs need no change: debugger=kt.debugger.Config().'
            )
      }
      code={WATCH_CODE}
    />
  );
}

function DebuggerView(view: ICaptureView): React.ReactElement {
  const { trans } = useStudio();
  const { reply } = view;
  const figures = reply.capture?.figures ?? [];
  const firing = reply.rules.filter(
    ({ state, kind }) => state === 'firing' && kind !== 'profiler'
  ).length;
  const tabs: ITab[] = [
    {
      id: 'findings',
      label: firing
        ? trans.__('Findings (%1 firing)', firing)
        : trans.__('Findings'),
      render: () => <FindingsView {...view} />
    }
  ];
  if (
    ['gradient_flow', 'update_ratios', 'dead_units', 'distribution'].some(
      name => figures.includes(name)
    )
  ) {
    tabs.push({
      id: 'layers',
      label: trans.__('Layers'),
      render: () => <Layers {...view} />
    });
  }
  if (
    ['confusion', 'class_counts', 'importance'].some(name =>
      figures.includes(name)
    )
  ) {
    tabs.push({
      id: 'classes',
      label: figures.includes('importance')
        ? trans.__('Features')
        : trans.__('Classes'),
      render: () => <Classes {...view} />
    });
  }
  tabs.push({
    id: 'tensors',
    label: trans.__('Tensors (%1)', reply.capture?.tensor_count ?? 0),
    render: () => <Tensors {...view} />
  });
  return (
    <div className="atelier-Debugger">
      <CaptureFacts {...view} />
      <Tabs label={trans.__('Parts of the Debugger')} tabs={tabs} />
    </div>
  );
}

/** One line: what was watched, how much of it was looked at, and what that cost. */
function CaptureFacts(view: ICaptureView): React.ReactElement | null {
  const { trans } = useStudio();
  const { capture } = view.reply;
  if (!capture) {
    return null;
  }
  const { model, optimizer, framework, step_count, last_step } = capture;
  const subject = [model || framework, optimizer].filter(part => part);
  return (
    <div className="atelier-Facts">
      <span>{subject.join(', ')}</span>
      <span>
        {trans.__(
          '%1 of %2 steps sampled',
          step_count.toLocaleString(),
          (last_step + 1).toLocaleString()
        )}
      </span>
      {capture.overhead !== null && (
        <span title={trans.__('The share of the training’s time')}>
          {trans.__(
            'took %1 % of the time',
            (100 * Number(capture.overhead)).toLocaleString(undefined, {
              maximumFractionDigits: 2
            })
          )}
        </span>
      )}
      <span role="status">
        {capture.is_over ? trans.__('ended') : trans.__('goes on')}
      </span>
    </div>
  );
}
