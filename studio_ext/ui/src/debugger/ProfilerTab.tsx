/** What a run and its machine spent their time on: phases of the steps, utilization, outliers, the trace. */
import * as React from 'react';

import type { ProfilerReply, RunRecord } from '../api';
import { EmptyState, Loaded, WhenInSight, formatNumber } from '../components';
import { useResource, useStudio } from '../frame';
import { CaptureFigure } from './CaptureFigure';
import { useVersion } from './DebuggerTab';
import { FindingDrawer } from './FindingDrawer';
import { RuleBoard } from './RuleBoard';
import { makeBoard } from './board';
import { profileReportUrl, readDebugger, readProfile } from './calls';

const HEIGHT = 280;
const PROFILE_CODE = `import kernel_tools as kt

hook = kt.debugger.watch(model, optimizer=optimizer, profile=(10, 14))
# ... train as before ...
hook.close()`;

export function ProfilerTab(props: { run: RunRecord }): React.ReactElement {
  const { client, trans } = useStudio();
  const { run } = props;
  const profile = useResource(`profiler/${run.id}`, signal =>
    readProfile(client, run.id, signal)
  );
  const isRunning = run.status === 'RUNNING';
  const version = useVersion(run, isRunning ? profile.refresh : null);
  return (
    <Loaded
      resource={profile}
      failure={trans.__('The profile could not be read')}
      rows={10}
    >
      {data =>
        data.step_count + data.sample_count > 0 ? (
          <ProfilerView
            run={run}
            profile={data}
            version={version}
            isFinal={!isRunning}
          />
        ) : (
          <EmptyState
            title={trans.__('This run was not profiled')}
            text={trans.__(
              'Where the time of each step goes, and what the machine does meanwhile, is kept of every training that is watched; profile= names steps that torch.profiler records, too.'
            )}
            code={PROFILE_CODE}
          />
        )
      }
    </Loaded>
  );
}

interface IProfileView {
  run: RunRecord;
  profile: ProfilerReply;
  version: number;
  isFinal: boolean;
}

function ProfilerView(view: IProfileView): React.ReactElement {
  const { trans } = useStudio();
  const { run, profile, version, isFinal } = view;
  const titles: [string, string][] = [
    ['phases', trans.__('Where the time went')],
    ['step_times', trans.__('Time of each step')],
    ['utilization', trans.__('Utilization of the machine')],
    ['outliers', trans.__('Steps that took longest')]
  ];
  return (
    <div className="atelier-Debugger">
      <p>
        <a
          className="atelier-Button"
          href={profileReportUrl(run.id)}
          download={`profile-${run.name}.html`}
        >
          {trans.__('Download the report')}
        </a>
      </p>
      <ProfilerRules {...view} />
      <div className="atelier-DebuggerCharts">
        {titles
          .filter(([figure]) => profile.figures.includes(figure))
          .map(([figure, title]) => (
            <WhenInSight key={figure} minHeight={HEIGHT + 32}>
              <CaptureFigure
                run={run}
                title={title}
                request={{ figure }}
                version={version}
                isFinal={isFinal}
                height={HEIGHT}
              />
            </WhenInSight>
          ))}
      </div>
      {profile.figures.includes('trace') && <Trace {...view} />}
    </div>
  );
}

/** The rules that look at time and hardware, if any watched. */
function ProfilerRules(view: IProfileView): React.ReactElement | null {
  const { client } = useStudio();
  const { run, version, isFinal } = view;
  const [selected, setSelected] = React.useState<string | null>(null);
  const reply = useResource(`debugger/${run.id}/profiler`, signal =>
    readDebugger(client, run.id, signal)
  );
  const { data } = reply;
  const board = makeBoard(data?.rules ?? [], data?.findings ?? [], 'profiler');
  const { findings, watching, idle, failed } = board;
  if (findings.length + watching.length + idle.length + failed.length === 0) {
    return null;
  }
  const open = findings.find(({ id }) => id === selected);
  return (
    <div className="atelier-Findings">
      <div className="atelier-Findings-main">
        <RuleBoard
          board={board}
          hasRules
          selected={open?.id ?? null}
          onSelect={setSelected}
        />
      </div>
      {open && (
        <FindingDrawer
          key={open.id}
          run={run}
          found={open}
          actions={data?.actions ?? []}
          version={version}
          isFinal={isFinal}
          onClose={() => setSelected(null)}
        />
      )}
    </div>
  );
}

/** What `torch.profiler` recorded: the time line, and the slowest operators and modules. */
function Trace(view: IProfileView): React.ReactElement {
  const { trans } = useStudio();
  const { run, profile, version, isFinal } = view;
  const ms = trans.__('ms');
  return (
    <>
      <CaptureFigure
        run={run}
        title={trans.__('Trace of the recorded steps')}
        request={{ figure: 'trace' }}
        version={version}
        isFinal={isFinal}
        height={360}
      />
      <div className="atelier-Columns">
        <TimeTable
          caption={countedTitle(
            trans.__('Operators'),
            profile.operators.length,
            profile.operator_count
          )}
          columns={[
            trans.__('Operator'),
            trans.__('Calls'),
            `${trans.__('Own')} (${ms})`,
            `${trans.__('Total')} (${ms})`
          ]}
          rows={profile.operators.map(row => [
            row.name,
            row.calls.toLocaleString(),
            formatNumber(row.own_ms),
            formatNumber(row.total_ms)
          ])}
        />
        <TimeTable
          caption={countedTitle(
            trans.__('Modules'),
            profile.modules.length,
            profile.module_count
          )}
          columns={[
            trans.__('Module'),
            trans.__('Class'),
            trans.__('Calls'),
            `${trans.__('Own')} (${ms})`,
            `${trans.__('Total')} (${ms})`
          ]}
          rows={profile.modules.map(row => [
            row.name,
            row.kind,
            row.calls.toLocaleString(),
            formatNumber(row.own_ms),
            formatNumber(row.total_ms)
          ])}
        />
      </div>
    </>
  );
}

function countedTitle(title: string, shown: number, count: number): string {
  return shown < count ? `${title} (${shown} of ${count})` : title;
}

function TimeTable(props: {
  caption: string;
  columns: string[];
  rows: string[][];
}): React.ReactElement {
  const numbers = /^[\d.,\s\u202f-]+(e[+-]?\d+)?$/;
  return (
    <section className="atelier-DataTable atelier-TimeTable">
      <h2>{props.caption}</h2>
      <div tabIndex={0} role="region" aria-label={props.caption}>
        <table aria-label={props.caption}>
          <thead>
            <tr>
              {props.columns.map(column => (
                <th key={column} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {props.rows.map((row, place) => (
              <tr key={place}>
                {row.map((cell, column) => (
                  <td
                    key={column}
                    title={cell}
                    className={
                      numbers.test(cell) ? 'atelier-number' : undefined
                    }
                  >
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
