/** Two of the compared runs. */
import * as React from 'react';

import type { RunRecord } from '../../api';
import { useStudio } from '../../frame';

export type Pair = [RunRecord, RunRecord];

/** The two runs that are chosen, and how to choose others; with two runs there is no choice. */
export function usePair(runs: RunRecord[]): {
  pair: Pair;
  choice: React.ReactElement | null;
} {
  const { trans } = useStudio();
  const [ids, setIds] = React.useState(['', '']);
  const first = runs.find(run => run.id === ids[0]) ?? runs[0];
  const second =
    runs.find(run => run.id === ids[1]) ??
    runs.find(run => run !== first) ??
    runs[1];
  const select = (label: string, place: 0 | 1, value: RunRecord) => (
    <label>
      {label}{' '}
      <select
        value={value.id}
        onChange={event => {
          const next = [first.id, second.id];
          next[place] = event.target.value;
          setIds(next);
        }}
      >
        {runs.map(run => (
          <option key={run.id} value={run.id}>
            {run.name}
          </option>
        ))}
      </select>
    </label>
  );
  return {
    pair: [first, second],
    choice:
      runs.length > 2 ? (
        <div className="atelier-Compare-controls">
          {select(trans.__('From'), 0, first)}
          {select(trans.__('To'), 1, second)}
        </div>
      ) : null
  };
}
