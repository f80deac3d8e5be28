/** Small labels: states, which are text and shape and never colour alone, and links to related objects. */
import { LabIcon } from '@jupyterlab/ui-components';
import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { EndpointState, RunStatus, VersionStatus } from '../api';
import { useStudio } from '../frame/context';

/** What a state means for the one who looks. */
export type Tone = 'good' | 'bad' | 'warn' | 'wait' | 'live' | 'plain';

const SHAPES: { [tone in Tone]: string } = {
  good: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm-1 10.400L3.800 8.200l1.200-1.200L7 9l4-4 1.200 1.200z',
  bad: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm3.300 9.100-1.200 1.200L8 9.200l-2.100 2.100-1.200-1.200L6.800 8 4.700 5.900l1.200-1.200L8 6.800l2.100-2.100 1.200 1.200L9.200 8z',
  warn: 'M8 1.200 15.200 14H.8zM7.200 5.800v4h1.600v-4zm0 5v1.600h1.600v-1.600z',
  wait: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm0 1.600a5.400 5.400 0 1 1 0 10.800A5.400 5.400 0 0 1 8 2.600zm-.8 1.900v4l3 1.800.8-1.300-2.200-1.300V4.500z',
  live: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zM6.200 4.800 11.400 8l-5.200 3.200z',
  plain: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zM4.500 7.200h7v1.600h-7z'
};

/** The shape alone, where there is no place for the word: it is read aloud and shown on hover. */
export function StateMark(props: {
  tone: Tone;
  label: string;
}): React.ReactElement {
  return (
    <span
      className="atelier-Chip atelier-Mark"
      data-tone={props.tone}
      role="img"
      aria-label={props.label}
      title={props.label}
    >
      <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
        <path d={SHAPES[props.tone]} fill="currentColor" />
      </svg>
    </span>
  );
}

/** A state: a shape and a word. */
export function StateChip(props: {
  tone: Tone;
  label: string;
}): React.ReactElement {
  return (
    <span className="atelier-Chip" data-tone={props.tone}>
      <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
        <path d={SHAPES[props.tone]} fill="currentColor" />
      </svg>
      <span className="atelier-Chip-label">{props.label}</span>
    </span>
  );
}

export function RunChip(props: { status: RunStatus }): React.ReactElement {
  const { trans } = useStudio();
  const tones: { [status in RunStatus]: Tone } = {
    SCHEDULED: 'wait',
    RUNNING: 'live',
    FINISHED: 'good',
    FAILED: 'bad',
    KILLED: 'plain'
  };
  return (
    <StateChip
      tone={tones[props.status]}
      label={runLabel(props.status, trans)}
    />
  );
}

function runLabel(status: RunStatus, trans: TranslationBundle): string {
  const labels: { [status in RunStatus]: string } = {
    SCHEDULED: trans.__('Scheduled'),
    RUNNING: trans.__('Running'),
    FINISHED: trans.__('Finished'),
    FAILED: trans.__('Failed'),
    KILLED: trans.__('Killed')
  };
  return labels[status];
}

export function VersionChip(props: {
  status: VersionStatus;
}): React.ReactElement {
  const { trans } = useStudio();
  switch (props.status) {
    case 'Approved':
      return <StateChip tone="good" label={trans.__('Approved')} />;
    case 'Rejected':
      return <StateChip tone="bad" label={trans.__('Rejected')} />;
    default:
      return <StateChip tone="wait" label={trans.__('Waiting')} />;
  }
}

export function EndpointChip(props: {
  state: EndpointState;
}): React.ReactElement {
  const { trans } = useStudio();
  switch (props.state) {
    case 'InService':
      return <StateChip tone="good" label={trans.__('In service')} />;
    case 'Creating':
      return <StateChip tone="live" label={trans.__('Starting')} />;
    case 'Updating':
      return <StateChip tone="live" label={trans.__('Updating')} />;
    case 'RollingBack':
      return <StateChip tone="live" label={trans.__('Rolling back')} />;
    case 'SystemUpdating':
      return <StateChip tone="live" label={trans.__('Scaling')} />;
    case 'OutOfService':
      return <StateChip tone="bad" label={trans.__('Out of service')} />;
    case 'Deleting':
      return <StateChip tone="plain" label={trans.__('Deleting')} />;
    default:
      return <StateChip tone="bad" label={trans.__('Failed')} />;
  }
}

/** A related object, which opens on a click. */
export function LinkChip(props: {
  icon: LabIcon;
  label: string;
  path: string;
}): React.ReactElement {
  const studio = useStudio();
  return (
    <button
      type="button"
      className="atelier-LinkChip"
      title={props.label}
      onClick={() => studio.open(props.path)}
    >
      <props.icon.react tag="span" width="14px" aria-hidden />
      <span className="atelier-ellipsis">{props.label}</span>
    </button>
  );
}
