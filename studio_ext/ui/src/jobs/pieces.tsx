/** Small parts of jobs: their state, how far they are, their time line, what they cost. */
import * as React from 'react';

import type { JobRow, JobState, MetricValue, Stretch } from '../api';
import {
  StateChip,
  formatDuration,
  formatNumber,
  toNumber
} from '../components';
import { useStudio } from '../frame';
import {
  StretchKind,
  fractionOf,
  segmentsOf,
  stateLabel,
  timeLeft,
  toneOf
} from './state';

export function JobChip(props: { state: JobState }): React.ReactElement {
  const { trans } = useStudio();
  return (
    <StateChip
      tone={toneOf(props.state)}
      label={stateLabel(props.state, trans)}
    />
  );
}

/** A bar, and how long it will take; of a job that says nothing, nothing. */
export function JobProgress(props: {
  job: Pick<JobRow, 'name' | 'state' | 'progress' | 'duration'>;
}): React.ReactElement | null {
  const { trans } = useStudio();
  const { job } = props;
  const { progress } = job;
  if (!progress) {
    return null;
  }
  const fraction = fractionOf(progress);
  const left = timeLeft(job);
  const done = progress.total
    ? trans.__(
        '%1 of %2',
        formatNumber(progress.done),
        formatNumber(progress.total)
      )
    : formatNumber(progress.done);
  const text =
    left !== null && fraction !== null && fraction < 1
      ? trans.__('%1 left', formatDuration(left))
      : fraction === null
        ? done
        : `${Math.floor(fraction * 100)} %`;
  return (
    <span
      className="atelier-JobProgress"
      title={[progress.description, done].filter(part => part).join(': ')}
    >
      {fraction !== null && (
        <progress
          max={1}
          value={fraction}
          aria-label={trans.__('Progress of %1', job.name)}
        />
      )}
      <span className="atelier-ellipsis">{text}</span>
    </span>
  );
}

/** What a job did when, on one line. */
export function TimeLine(props: {
  stretches: Stretch[];
}): React.ReactElement | null {
  const { trans } = useStudio();
  const segments = segmentsOf(props.stretches, Date.now());
  if (segments.length === 0) {
    return null;
  }
  const sums = new Map<StretchKind, number>();
  for (const { kind, length } of segments) {
    sums.set(kind, (sums.get(kind) ?? 0) + length);
  }
  const label = [...sums]
    .map(
      ([kind, length]) => `${kindLabel(kind, trans)} ${formatDuration(length)}`
    )
    .join(', ');
  return (
    <span
      className="atelier-TimeLine"
      role="img"
      aria-label={label}
      title={label}
    >
      {segments.map((segment, index) => (
        <span
          key={index}
          data-kind={segment.kind}
          style={{
            left: `${segment.start * 100}%`,
            width: `${(segment.end - segment.start) * 100}%`
          }}
        />
      ))}
    </span>
  );
}

export function kindLabel(
  kind: StretchKind,
  trans: ReturnType<typeof useStudio>['trans']
): string {
  switch (kind) {
    case 'running':
      return trans.__('running');
    case 'interrupted':
      return trans.__('interrupted');
    default:
      return trans.__('waiting');
  }
}

/** An amount of money; of small ones two more digits. */
export function formatCost(cost: MetricValue, currency: string): string {
  const value = toNumber(cost);
  if (value > 0 && value < 0.0001) {
    return `< 0.0001 ${currency}`;
  }
  return `${value.toFixed(value > 0 && value < 0.01 ? 4 : 2)} ${currency}`;
}
