/** What the states of a job mean, and arithmetic on its time; nothing is drawn here. */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { JobRow, JobState, Stretch } from '../api';
import type { Tone } from '../components';
import { toNumber } from '../components/format';

/** What a job does in a state, as a time line shows it. */
export type StretchKind =
  'waiting' | 'running' | 'interrupted' | 'good' | 'bad' | 'plain';

/** A part of a time line, from 0 to 1. */
export interface ISegment {
  kind: StretchKind;
  state: JobState;
  start: number;
  end: number;
  /** Milliseconds. */
  length: number;
}

/** States that are filtered by together. */
export type StateGroup =
  'running' | 'waiting' | 'completed' | 'failed' | 'stopped';

export const GROUPS: { [group in StateGroup]: JobState[] } = {
  running: ['Running'],
  waiting: ['Queued', 'Waiting', 'Starting', 'Interrupted', 'Restarting'],
  completed: ['Completed'],
  failed: ['Failed', 'TimedOut', 'WaitExpired', 'Lost'],
  stopped: ['Stopped']
};

const ENDS: JobState[] = [
  ...GROUPS.completed,
  ...GROUPS.failed,
  ...GROUPS.stopped
];

export function isEnd(state: JobState): boolean {
  return ENDS.includes(state);
}

export function toneOf(state: JobState): Tone {
  switch (state) {
    case 'Running':
      return 'live';
    case 'Completed':
      return 'good';
    case 'Stopped':
      return 'plain';
    default:
      return GROUPS.failed.includes(state) ? 'bad' : 'wait';
  }
}

export function kindOf(state: JobState): StretchKind {
  switch (state) {
    case 'Running':
      return 'running';
    case 'Interrupted':
      return 'interrupted';
    case 'Completed':
      return 'good';
    case 'Stopped':
      return 'plain';
    default:
      return GROUPS.failed.includes(state) ? 'bad' : 'waiting';
  }
}

export function stateLabel(state: JobState, trans: TranslationBundle): string {
  const labels: { [state in JobState]: string } = {
    Queued: trans.__('Queued'),
    Waiting: trans.__('Waiting for capacity'),
    Starting: trans.__('Starting'),
    Running: trans.__('Running'),
    Interrupted: trans.__('Interrupted'),
    Restarting: trans.__('Restarting'),
    Completed: trans.__('Completed'),
    Failed: trans.__('Failed'),
    Stopped: trans.__('Stopped'),
    TimedOut: trans.__('Timed out'),
    WaitExpired: trans.__('Waited too long'),
    Lost: trans.__('Lost')
  };
  return labels[state];
}

/** The stretches of a job as parts of the time from the first to the end, or until now; ends have no length. */
export function segmentsOf(stretches: Stretch[], now: number): ISegment[] {
  if (stretches.length === 0) {
    return [];
  }
  const first = stretches[0].started_at;
  const last = stretches[stretches.length - 1];
  const end = isEnd(last.state) ? last.started_at : Math.max(now, first);
  const total = Math.max(1, end - first);
  return stretches
    .filter(({ state }) => !isEnd(state))
    .map(({ state, started_at, ended_at }) => {
      const until = Math.max(started_at, ended_at ?? end);
      return {
        kind: kindOf(state),
        state,
        start: (started_at - first) / total,
        end: (until - first) / total,
        length: until - started_at
      };
    })
    .filter(({ length }) => length > 0);
}

/** The part that is done, from 0 to 1; null if nobody knows. */
export function fractionOf(progress: JobRow['progress']): number | null {
  const total = toNumber(progress?.total ?? 0);
  const fraction = toNumber(progress?.done ?? 0) / total;
  return total > 0 && Number.isFinite(fraction)
    ? Math.max(0, Math.min(1, fraction))
    : null;
}

/** Milliseconds that a running job goes on if it keeps its pace; null if nobody knows. */
export function timeLeft(
  job: Pick<JobRow, 'state' | 'progress' | 'duration'>
): number | null {
  const fraction = fractionOf(job.progress ?? null);
  if (job.state !== 'Running' || !fraction) {
    return null;
  }
  return (job.duration * (1 - fraction)) / fraction;
}
