/** What the list says of each job. */
import * as React from 'react';

import type { JobRow } from '../api';
import { IColumn, Time, formatDuration, timeWidth } from '../components';
import { IStudio, formatPath } from '../frame';
import { JobChip, JobProgress, TimeLine, formatCost } from './pieces';

export function jobColumns(studio: IStudio): IColumn<JobRow>[] {
  const { trans } = studio;
  const open = (path: string) => () => studio.open(path);
  return [
    {
      id: 'name',
      label: trans.__('Job'),
      width: 190,
      render: ({ name }) => (
        <button
          type="button"
          tabIndex={-1}
          className="atelier-TextButton atelier-ellipsis"
          onClick={open(`job/${name}`)}
        >
          {name}
        </button>
      ),
      title: ({ name, entry }) => `${name}\n${entry}`
    },
    {
      id: 'state',
      label: trans.__('State'),
      width: 120,
      render: ({ state }) => <JobChip state={state} />,
      title: ({ reason }) => reason || undefined
    },
    {
      id: 'progress',
      label: trans.__('Progress'),
      width: 160,
      render: job => <JobProgress job={job} />
    },
    {
      id: 'duration',
      label: trans.__('Ran'),
      width: 96,
      isNumber: true,
      render: ({ duration, running_at }) =>
        running_at === null ? '—' : formatDuration(duration),
      title: ({ attempts }) => trans._n('%1 attempt', '%1 attempts', attempts)
    },
    {
      id: 'cost',
      label: trans.__('Cost'),
      width: 120,
      isNumber: true,
      render: ({ cost, currency }) =>
        cost === null ? '—' : formatCost(cost, currency),
      title: ({ cost }) =>
        cost === null
          ? trans.__('No prices are set: kt.jobs.spot.set_prices(…)')
          : undefined
    },
    {
      id: 'time-line',
      label: trans.__('Time line'),
      width: 120,
      render: ({ stretches }) => <TimeLine stretches={stretches} />
    },
    {
      id: 'experiment',
      label: trans.__('Experiment'),
      width: 130,
      render: ({ experiment }) =>
        experiment && (
          <button
            type="button"
            tabIndex={-1}
            className="atelier-TextButton atelier-ellipsis"
            onClick={open(formatPath('experiments', experiment))}
          >
            {experiment}
          </button>
        ),
      title: ({ experiment }) => experiment ?? undefined
    },
    {
      id: 'created_at',
      label: trans.__('Submitted'),
      width: timeWidth(studio.settings),
      render: ({ created_at }) => <Time value={created_at} />
    }
  ];
}
