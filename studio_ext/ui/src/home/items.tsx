/** The lines of Home: one object each, with what can be done about it. */
import * as React from 'react';

import type {
  EndpointRecord,
  FiringRun,
  JobRecord,
  JobRow,
  RunRecord,
  VersionRecord
} from '../api';
import {
  Button,
  EndpointChip,
  IAction,
  RunChip,
  StateChip,
  Time,
  VersionChip,
  durationOf,
  formatDuration,
  formatNumber,
  sortedKeys
} from '../components';
import { SEVERITY_TONES } from '../debugger/board';
import { useStudio } from '../frame';
import { JobChip, JobProgress } from '../jobs/pieces';
import { decideVersion } from '../registry/approval';

/** The metrics named beside a run. */
const METRICS_SHOWN = 1;

function Item(props: {
  title: string;
  path: string;
  chip: React.ReactNode;
  facts: React.ReactNode;
  children?: React.ReactNode;
}): React.ReactElement {
  const studio = useStudio();
  return (
    <li className="atelier-Item">
      <div className="atelier-Item-line">
        <button
          type="button"
          className="atelier-TextButton atelier-Item-title atelier-ellipsis"
          title={props.title}
          onClick={() => studio.open(props.path)}
        >
          {props.title}
        </button>
        {props.chip}
      </div>
      <div className="atelier-Facts">{props.facts}</div>
      {props.children}
    </li>
  );
}

export function RunItem(props: { run: RunRecord }): React.ReactElement {
  const { run } = props;
  const isRunning = run.status === 'RUNNING';
  return (
    <Item
      title={run.name}
      path={`run/${run.id}`}
      chip={<RunChip status={run.status} />}
      facts={
        <>
          <span className="atelier-ellipsis" title={run.experiment}>
            {run.experiment}
          </span>
          <span>
            {isRunning ? (
              durationOf(run.started_at, null)
            ) : (
              <Time value={run.started_at} />
            )}
          </span>
          {sortedKeys(run.metrics)
            .slice(0, METRICS_SHOWN)
            .map(key => (
              <span key={key} className="atelier-ellipsis" title={key}>
                {key} {formatNumber(run.metrics[key])}
              </span>
            ))}
        </>
      }
    />
  );
}

export function FailedRunItem(props: { run: RunRecord }): React.ReactElement {
  const { run } = props;
  return (
    <Item
      title={run.name}
      path={`run/${run.id}`}
      chip={<RunChip status={run.status} />}
      facts={
        <>
          <span className="atelier-ellipsis" title={run.experiment}>
            {run.experiment}
          </span>
          <Time value={run.ended_at ?? run.started_at} />
        </>
      }
    />
  );
}

/** A run in which rules of the Debugger found something; it opens there. */
export function FiringRunItem(props: {
  firing: FiringRun;
}): React.ReactElement {
  const { trans } = useStudio();
  const { run, finding_count, rule, severity, message } = props.firing;
  return (
    <Item
      title={run.name}
      path={`run/${run.id}/debugger`}
      chip={<StateChip tone={SEVERITY_TONES[severity]} label={rule} />}
      facts={
        <>
          <span className="atelier-ellipsis" title={run.experiment}>
            {run.experiment}
          </span>
          <span>{trans._n('%1 finding', '%1 findings', finding_count)}</span>
        </>
      }
    >
      <div className="atelier-ellipsis" title={message}>
        {message}
      </div>
    </Item>
  );
}

export function JobItem(props: { job: JobRow }): React.ReactElement {
  const { job } = props;
  return (
    <Item
      title={job.name}
      path={`job/${job.name}`}
      chip={<JobChip state={job.state} />}
      facts={
        <>
          {job.experiment && (
            <span className="atelier-ellipsis" title={job.experiment}>
              {job.experiment}
            </span>
          )}
          <span>
            {job.running_at === null ? (
              <Time value={job.created_at} />
            ) : (
              formatDuration(job.duration)
            )}
          </span>
        </>
      }
    >
      <JobProgress job={job} />
    </Item>
  );
}

export function FailedJobItem(props: { job: JobRecord }): React.ReactElement {
  const { job } = props;
  return (
    <Item
      title={job.name}
      path={`job/${job.name}`}
      chip={<JobChip state={job.state} />}
      facts={<Time value={job.ended_at ?? job.created_at} />}
    >
      {job.reason && (
        <div className="atelier-ellipsis" title={job.reason}>
          {job.reason}
        </div>
      )}
    </Item>
  );
}

export function EndpointItem(props: {
  endpoint: EndpointRecord;
}): React.ReactElement {
  const { trans } = useStudio();
  const { endpoint } = props;
  return (
    <Item
      title={endpoint.name}
      path={`endpoint/${endpoint.name}`}
      chip={<EndpointChip state={endpoint.state} />}
      facts={
        <>
          <span className="atelier-ellipsis" title={endpoint.model}>
            {trans.__('%1 version %2', endpoint.model, endpoint.version)}
          </span>
        </>
      }
    >
      {endpoint.reason && (
        <div className="atelier-ellipsis" title={endpoint.reason}>
          {endpoint.reason}
        </div>
      )}
    </Item>
  );
}

export function PendingItem(props: {
  version: VersionRecord;
  action: IAction;
}): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const { version, action } = props;
  const name = trans.__('%1 version %2', version.model, version.version);
  return (
    <Item
      title={name}
      path={`model/${version.model}/${version.version}`}
      chip={<VersionChip status={version.status} />}
      facts={
        <>
          <span>{version.created_by}</span>
          <Time value={version.created_at} />
        </>
      }
    >
      <div className="atelier-Buttons">
        <Button
          label={trans.__('Approve')}
          description={trans.__('Approve %1', name)}
          isDisabled={action.isBusy}
          onClick={() =>
            void decideVersion(studio, version, 'Approved', action)
          }
        />
        <Button
          label={trans.__('Reject')}
          description={trans.__('Reject %1', name)}
          isDisabled={action.isBusy}
          onClick={() =>
            void decideVersion(studio, version, 'Rejected', action)
          }
        />
      </div>
    </Item>
  );
}
