/** A small curve without axes; the numbers stand beside it. */
import * as React from 'react';

import type { MetricValue } from '../api';
import { toNumber } from './format';

const WIDTH = 120;
const HEIGHT = 22;
const MARGIN = 2;

export function Sparkline(props: {
  label: string;
  steps: number[];
  values: MetricValue[];
}): React.ReactElement | null {
  const path = sparkPath(props.steps, props.values.map(toNumber));
  return path ? (
    <svg
      className="atelier-Sparkline"
      role="img"
      aria-label={props.label}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
    >
      <path d={path} />
    </svg>
  ) : null;
}

/** The path of a curve; values that are no numbers are gaps. Empty if there is nothing to join. */
export function sparkPath(steps: number[], values: number[]): string {
  const finite = values.filter(Number.isFinite);
  if (finite.length < 2) {
    return '';
  }
  const low = Math.min(...finite);
  const high = Math.max(...finite);
  const first = Math.min(...steps);
  const last = Math.max(...steps);
  const place = (value: number, from: number, to: number, size: number) =>
    to === from ? size / 2 : ((value - from) / (to - from)) * size;
  let isJoined = false;
  return values
    .map((value, index) => {
      if (!Number.isFinite(value)) {
        isJoined = false;
        return '';
      }
      const x = MARGIN + place(steps[index], first, last, WIDTH - 2 * MARGIN);
      const y = HEIGHT - MARGIN - place(value, low, high, HEIGHT - 2 * MARGIN);
      const command = isJoined ? 'L' : 'M';
      isJoined = true;
      return `${command}${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join('');
}
