/** Moments and durations in the form that the user's settings ask for. */
import * as React from 'react';

import { useStudio } from '../frame/context';
import type { IStudioSettings } from '../frame/tokens';
import { formatAbsolute, formatDuration, formatRelative } from './format';

/** A moment: relative with the absolute on hover, or the other way round. */
export function Time(props: { value: number }): React.ReactElement {
  const { settings } = useStudio();
  const relative = formatRelative(props.value, Date.now());
  const absolute = formatAbsolute(props.value);
  const isRelative = settings.timeFormat === 'relative';
  return (
    <time
      dateTime={new Date(props.value).toISOString()}
      title={isRelative ? absolute : relative}
    >
      {isRelative ? relative : absolute}
    </time>
  );
}

/** The width in pixels of a column of moments. */
export function timeWidth(settings: IStudioSettings): number {
  return settings.timeFormat === 'relative' ? 96 : 190;
}

/** How long something took, or takes until now. */
export function durationOf(started: number, ended: number | null): string {
  return formatDuration((ended ?? Date.now()) - started);
}
