/** Which jobs are listed: by text, state and experiment. */
import * as React from 'react';

import type { JobRow } from '../api';
import { useResource, useStudio } from '../frame';
import { countJobs } from './calls';
import { GROUPS, StateGroup } from './state';
import type { IJobFilter } from './useJobs';

/** Milliseconds after the last key before a text is looked for. */
const PAUSE = 250;

export function JobFilters(props: {
  filter: IJobFilter;
  jobs: JobRow[];
  onChange(change: Partial<IJobFilter>): void;
}): React.ReactElement {
  const { client, trans } = useStudio();
  const { filter, onChange } = props;
  const [text, setText] = React.useState(filter.text);
  React.useEffect(() => setText(filter.text), [filter.text]);
  React.useEffect(() => {
    if (text === filter.text) {
      return;
    }
    const timer = window.setTimeout(() => onChange({ text }), PAUSE);
    return () => window.clearTimeout(timer);
  });
  const counts = useResource('jobs/-/counts', signal =>
    countJobs(client, signal)
  );
  const labels: { [group in StateGroup]: string } = {
    running: trans.__('Running'),
    waiting: trans.__('Waiting'),
    completed: trans.__('Completed'),
    failed: trans.__('Failed'),
    stopped: trans.__('Stopped')
  };
  const experiments = new Set(
    props.jobs.map(({ experiment }) => experiment ?? '')
  );
  experiments.add(filter.experiment);
  experiments.delete('');
  const toggle = (group: StateGroup) => {
    const others = filter.groups.filter(other => other !== group);
    const isOn = others.length < filter.groups.length;
    onChange({ groups: isOn ? others : [...others, group] });
  };
  return (
    <div className="atelier-JobFilters" role="search">
      <input
        type="search"
        className="atelier-Input"
        aria-label={trans.__('Search jobs')}
        placeholder={trans.__('Name or entry')}
        maxLength={250}
        value={text}
        onChange={event => setText(event.target.value)}
      />
      <div
        className="atelier-Buttons"
        role="group"
        aria-label={trans.__('States')}
      >
        {(Object.keys(GROUPS) as StateGroup[]).map(group => (
          <button
            key={group}
            type="button"
            className="atelier-Button atelier-JobFilters-state"
            aria-pressed={filter.groups.includes(group)}
            onClick={() => toggle(group)}
          >
            {labels[group]}{' '}
            <span className="atelier-muted">
              {counts.data &&
                GROUPS[group].reduce(
                  (sum, state) => sum + (counts.data?.states[state] ?? 0),
                  0
                )}
            </span>
          </button>
        ))}
      </div>
      {experiments.size > 0 && (
        <label className="atelier-JobFilters-experiment">
          {trans.__('Experiment')}
          <select
            className="atelier-Input"
            value={filter.experiment}
            onChange={event => onChange({ experiment: event.target.value })}
          >
            <option value="">{trans.__('All')}</option>
            {[...experiments].sort().map(experiment => (
              <option key={experiment} value={experiment}>
                {experiment}
              </option>
            ))}
          </select>
        </label>
      )}
    </div>
  );
}
