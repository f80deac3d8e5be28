/** The table of running resources: one line each, with real buttons that every key reaches. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { Resource } from '../api';
import {
  Button,
  StateChip,
  Time,
  Tone,
  formatBytes,
  formatNumber
} from '../components';
import { IStudio, useStudio } from '../frame';
import { formatCpu } from './idle';

export interface IResourcesTableProps {
  resources: readonly Resource[];
  openTerminal: ((name: string) => void) | null;
  isBusy: boolean;
  onStop(resource: Resource): void;
}

export function ResourcesTable(
  props: IResourcesTableProps
): React.ReactElement {
  const { trans } = useStudio();
  return (
    <div className="atelier-RowTable">
      <table aria-label={trans.__('Running resources')}>
        <thead>
          <tr>
            <th scope="col">{trans.__('Name')}</th>
            <th scope="col">{trans.__('Kind')}</th>
            <th scope="col">{trans.__('State')}</th>
            <th scope="col" className="atelier-number">
              {trans.__('Memory')}
            </th>
            <th
              scope="col"
              className="atelier-number"
              title={trans.__('Share of one processor')}
            >
              {trans.__('CPU')}
            </th>
            <th scope="col">{trans.__('Started')}</th>
            <th scope="col">{trans.__('Idle since')}</th>
            <th scope="col">
              <span className="atelier-hidden">{trans.__('Action')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {props.resources.map(resource => (
            <ResourceRow
              key={`${resource.kind}/${resource.id}`}
              {...props}
              resource={resource}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function ResourceRow(
  props: IResourcesTableProps & { resource: Resource }
): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const { resource } = props;
  const label = kindLabel(resource.kind, trans);
  const open = opening(studio, resource, props.openTerminal);
  const hover = resource.path ?? resource.name;
  return (
    <tr>
      <th scope="row" title={hover}>
        {open ? (
          <button
            type="button"
            className="atelier-TextButton atelier-ellipsis"
            onClick={open}
          >
            {resource.name}
          </button>
        ) : (
          <span className="atelier-ellipsis">{resource.name}</span>
        )}
      </th>
      <td>{label}</td>
      <td>
        <ResourceChip resource={resource} />
      </td>
      <td
        className="atelier-number"
        title={trans._n('%1 process', '%1 processes', resource.processes)}
      >
        {resource.memory === null ? '' : formatBytes(resource.memory)}
      </td>
      <td
        className="atelier-number"
        title={
          resource.cpu === null
            ? undefined
            : trans.__('%1 processors', formatNumber(resource.cpu))
        }
      >
        {formatCpu(resource.cpu)}
      </td>
      <td>
        {resource.started_at !== null && <Time value={resource.started_at} />}
      </td>
      <td>
        {resource.idle_since !== null && <Time value={resource.idle_since} />}
      </td>
      <td>
        <Button
          kind="danger"
          label={trans.__('Stop')}
          description={trans.__('Stop %1 %2', label, resource.name)}
          isDisabled={props.isBusy}
          onClick={() => props.onStop(resource)}
        />
      </td>
    </tr>
  );
}

function ResourceChip(props: { resource: Resource }): React.ReactElement {
  const { trans } = useStudio();
  const { state, connections } = props.resource;
  const known: { [state: string]: [Tone, string] } = {
    idle: ['plain', trans.__('Idle')],
    busy: ['live', trans.__('Busy')],
    starting: ['wait', trans.__('Starting')],
    restarting: ['wait', trans.__('Restarting')],
    autorestarting: ['wait', trans.__('Restarting')],
    dead: ['bad', trans.__('Dead')],
    Running: ['live', trans.__('Running')],
    Starting: ['wait', trans.__('Starting')],
    Waiting: ['wait', trans.__('Waiting')],
    Interrupted: ['wait', trans.__('Interrupted')],
    InService: ['good', trans.__('In service')],
    Updating: ['live', trans.__('Updating')],
    RollingBack: ['live', trans.__('Rolling back')],
    SystemUpdating: ['live', trans.__('Scaling')],
    OutOfService: ['bad', trans.__('Out of service')],
    Creating: ['wait', trans.__('Starting')],
    Deleting: ['wait', trans.__('Deleting')]
  };
  const [tone, label] = known[state] ?? ['plain', state];
  return (
    <span
      title={
        connections === null
          ? undefined
          : trans._n('%1 connection', '%1 connections', connections)
      }
    >
      <StateChip tone={tone} label={label} />
    </span>
  );
}

/** What a click on the name opens: the notebook, the terminal, or the page of the job or endpoint. */
function opening(
  studio: IStudio,
  { kind, id, path }: Resource,
  openTerminal: IResourcesTableProps['openTerminal']
): (() => void) | null {
  switch (kind) {
    case 'kernel':
      return path?.includes('.') ? () => void studio.openFile(path) : null;
    case 'terminal':
      return openTerminal && (() => openTerminal(id));
    default:
      return () => studio.open(`${kind}/${id}`);
  }
}

function kindLabel(kind: Resource['kind'], trans: TranslationBundle): string {
  const labels: { [kind in Resource['kind']]: string } = {
    kernel: trans.__('Kernel'),
    terminal: trans.__('Terminal'),
    job: trans.__('Job'),
    endpoint: trans.__('Endpoint')
  };
  return labels[kind];
}
