/** The columns of the runs table: what every run has, then the metrics and the parameters that the runs at hand have. */
import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { RunRecord } from '../api';
import {
  IColumn,
  RunChip,
  Time,
  durationOf,
  formatAbsolute,
  formatExact,
  formatNumber,
  sortedKeys,
  timeWidth
} from '../components';
import type { IStudio } from '../frame';

/** Columns of one sort; what goes beyond stands on the page of the run. */
const MAX_COLUMNS = 40;

export function runColumns(
  runs: RunRecord[],
  hasExperiment: boolean,
  studio: IStudio
): IColumn<RunRecord>[] {
  const { trans } = studio;
  return [
    {
      id: 'name',
      label: trans.__('Name'),
      width: 150,
      sortKey: 'name',
      render: run => run.name,
      title: run => run.name
    },
    {
      id: 'status',
      label: trans.__('Status'),
      width: 104,
      sortKey: 'status',
      render: run => <RunChip status={run.status} />
    },
    ...(hasExperiment ? [] : [experimentColumn(trans)]),
    {
      id: 'started_at',
      label: trans.__('Started'),
      width: timeWidth(studio.settings),
      sortKey: 'started_at',
      render: run => <Time value={run.started_at} />
    },
    {
      id: 'duration',
      label: trans.__('Duration'),
      width: 90,
      isNumber: true,
      render: run => durationOf(run.started_at, run.ended_at),
      title: run => (run.ended_at ? formatAbsolute(run.ended_at) : undefined)
    },
    ...metricColumns(runs),
    ...paramColumns(runs)
  ];
}

function experimentColumn(trans: TranslationBundle): IColumn<RunRecord> {
  return {
    id: 'experiment',
    label: trans.__('Experiment'),
    width: 140,
    render: run => run.experiment,
    title: run => run.experiment
  };
}

function metricColumns(runs: RunRecord[]): IColumn<RunRecord>[] {
  return keysOf(runs.map(run => run.metrics)).map(key => ({
    id: `metrics.${key}`,
    label: key,
    width: widthOf(key, 92),
    isNumber: true,
    sortKey: `metrics.${quote(key)}`,
    render: run =>
      run.metrics[key] === undefined ? '' : formatNumber(run.metrics[key]),
    title: run =>
      run.metrics[key] === undefined ? undefined : formatExact(run.metrics[key])
  }));
}

function paramColumns(runs: RunRecord[]): IColumn<RunRecord>[] {
  return keysOf(runs.map(run => run.params)).map(key => {
    const isNumber = runs.every(run => isNumeric(run.params[key]));
    return {
      id: `params.${key}`,
      label: key,
      width: widthOf(key, 96),
      isNumber,
      sortKey: `params.${quote(key)}`,
      render: run => run.params[key] ?? '',
      title: run => run.params[key]
    };
  });
}

/** The keys that any of the records has. */
function keysOf(records: { [key: string]: unknown }[]): string[] {
  return sortedKeys(Object.assign({}, ...records)).slice(0, MAX_COLUMNS);
}

function isNumeric(text: string | undefined): boolean {
  return text === undefined || (text.trim() !== '' && !isNaN(Number(text)));
}

/** Enough for the name of the key, within reason. */
function widthOf(key: string, least: number): number {
  return Math.min(180, Math.max(least, key.length * 7.5 + 28));
}

/** A key as the server's filter and order language reads it. */
export function quote(key: string): string {
  return /^[A-Za-z_][\w.]*$/.test(key) ? key : `\`${key}\``;
}
