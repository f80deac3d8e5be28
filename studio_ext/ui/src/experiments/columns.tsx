/** The columns of the runs table: what every run has, then metrics, parameters and tags. */
import { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { GroupedMetric, RunRecord, ViewSettings } from '../api';
import {
  IColumn,
  RunChip,
  Time,
  durationOf,
  formatAbsolute,
  formatExact,
  formatNumber,
  sortedKeys,
  timeWidth,
  toNumber
} from '../components';
import type { IStudio } from '../frame';
import type { IGroupRow, TableRow } from './table/levels';

export const FAVOURITE_TAG = 'atelier.favourite';

/** Columns of one sort that are shown unless somebody chooses others. */
const MAX_COLUMNS = 40;

/** The keys of some runs, in the order in which they are shown, and the parameters whose values are all numbers. */
export interface IKeys {
  metrics: string[];
  params: string[];
  numeric: Set<string>;
}

export interface IColumnContext {
  studio: IStudio;
  keys: IKeys;
  /** The best value of each metric that has one. */
  best: { [metric: string]: unknown };
  groupBy: string | null;
}

export function keysOfRuns(runs: RunRecord[]): IKeys {
  const keysOf = (records: { [key: string]: unknown }[]) =>
    sortedKeys(Object.assign({}, ...records)).slice(0, MAX_COLUMNS);
  const params = keysOf(runs.map(run => run.params));
  const isNumeric = (key: string) =>
    runs.every(run => isNumber(run.params[key]));
  return {
    metrics: keysOf(runs.map(run => run.metrics)),
    params,
    numeric: new Set(params.filter(isNumeric))
  };
}

/** The ids of the columns that are shown unless somebody chooses others. */
export function usualColumns(keys: IKeys, hasExperiment: boolean): string[] {
  return [
    'name',
    'status',
    ...(hasExperiment ? [] : ['experiment']),
    'started_at',
    'duration',
    ...keys.metrics.map(key => `metrics.${key}`),
    ...keys.params.map(key => `params.${key}`)
  ];
}

/** The columns of a table; the name always comes first. */
export function tableColumns(
  chosen: NonNullable<ViewSettings['columns']>,
  context: IColumnContext
): IColumn<TableRow>[] {
  return chosen.map(({ id, width }) => {
    const column = columnOf(id, context);
    return { ...column, width: width ?? column.width };
  });
}

/** What a column is called, and where its values come from. */
export function columnLabel(id: string, trans: TranslationBundle): string {
  const labels: { [id: string]: string } = {
    name: trans.__('Name'),
    status: trans.__('Status'),
    experiment: trans.__('Experiment'),
    started_at: trans.__('Started'),
    duration: trans.__('Duration'),
    user: trans.__('User')
  };
  return labels[id] ?? id.slice(id.indexOf('.') + 1);
}

export const ATTRIBUTE_COLUMNS = [
  'name',
  'status',
  'experiment',
  'started_at',
  'duration',
  'user'
];

function columnOf(id: string, context: IColumnContext): IColumn<TableRow> {
  const { studio, keys } = context;
  const [entity] = id.split('.', 1);
  const key = id.slice(entity.length + 1);
  const label = columnLabel(id, studio.trans);
  if (!key) {
    return attributeColumn(id, label, context);
  }
  if (entity === 'metrics') {
    return metricColumn(id, key, context);
  }
  const read = (run: RunRecord) =>
    (entity === 'params' ? run.params : run.tags)[key];
  return {
    id,
    label,
    width: widthOf(key, 96),
    isNumber: entity === 'params' && keys.numeric.has(key),
    sortKey: `${entity}.${quote(key)}`,
    ...ofRun(
      run => read(run) ?? '',
      run => read(run)
    )
  };
}

function attributeColumn(
  id: string,
  label: string,
  context: IColumnContext
): IColumn<TableRow> {
  const { studio, groupBy } = context;
  const base = { id, label, sortKey: id };
  switch (id) {
    case 'status':
      return {
        ...base,
        width: 104,
        ...ofRun(run => <RunChip status={run.status} />)
      };
    case 'started_at':
      return {
        ...base,
        width: timeWidth(studio.settings),
        ...ofRun(run => <Time value={run.started_at} />)
      };
    case 'duration':
      return {
        ...base,
        width: 90,
        isNumber: true,
        sortKey: undefined,
        ...ofRun(
          run => durationOf(run.started_at, run.ended_at),
          run => (run.ended_at ? formatAbsolute(run.ended_at) : undefined)
        )
      };
    case 'experiment':
    case 'user':
      return {
        ...base,
        width: 140,
        ...ofRun(
          run => run[id],
          run => run[id]
        )
      };
    default:
      return {
        ...base,
        width: 210,
        render: row =>
          row.kind === 'group' ? (
            <GroupName row={row} by={groupBy ?? ''} />
          ) : (
            <>
              {row.run.tags[FAVOURITE_TAG] === 'true' && (
                <span
                  className="atelier-Star"
                  role="img"
                  aria-label={studio.trans.__('Favourite')}
                >
                  ★
                </span>
              )}
              {row.run.name}
              {row.childCount > 0 && (
                <span className="atelier-Count"> {row.childCount}</span>
              )}
            </>
          ),
        title: row =>
          row.kind === 'run'
            ? row.run.name
            : groupName(row, groupBy ?? '', studio.trans)
      };
  }
}

function GroupName(props: { row: IGroupRow; by: string }): React.ReactElement {
  const { row, by } = props;
  return (
    <>
      <span className="atelier-muted">{by.slice(by.indexOf('.') + 1)}</span>{' '}
      <strong>{row.group.value ?? '—'}</strong>{' '}
      <span className="atelier-Count">{row.group.count}</span>
    </>
  );
}

/** What a group is called. */
export function groupName(
  row: IGroupRow,
  by: string,
  trans: TranslationBundle
): string {
  const key = by.slice(by.indexOf('.') + 1);
  return row.group.value === null
    ? trans.__('without %1', key)
    : `${key} = ${row.group.value}`;
}

function metricColumn(
  id: string,
  key: string,
  context: IColumnContext
): IColumn<TableRow> {
  const { studio, best, groupBy } = context;
  return {
    id,
    label: key,
    width: widthOf(key, groupBy === null ? 92 : 140),
    isNumber: true,
    sortKey: `metrics.${quote(key)}`,
    render: row => {
      if (row.kind === 'group') {
        const summary = row.group.metrics[key];
        return summary ? <Spread summary={summary} /> : '';
      }
      const value = row.run.metrics[key];
      return value === undefined ? '' : formatNumber(value);
    },
    title: row => {
      if (row.kind === 'group') {
        const summary = row.group.metrics[key];
        return summary && describeSummary(summary, studio.trans);
      }
      const value = row.run.metrics[key];
      return value === undefined ? undefined : formatExact(value);
    },
    isBest: row =>
      row.kind === 'run' &&
      key in best &&
      row.run.metrics[key] !== undefined &&
      toNumber(row.run.metrics[key]) === best[key]
  };
}

function Spread(props: { summary: GroupedMetric }): React.ReactElement {
  const { mean, std, min } = props.summary;
  return (
    <>
      {formatNumber(mean ?? min)}
      {std !== null && (
        <span className="atelier-muted"> ± {formatNumber(std)}</span>
      )}
    </>
  );
}

function describeSummary(
  summary: GroupedMetric,
  trans: TranslationBundle
): string {
  const { count, mean, std, min, max } = summary;
  const shown = (value: GroupedMetric['mean']) =>
    value === null ? '—' : formatNumber(value);
  return trans.__(
    'mean %1, deviation %2, from %3 to %4, of %5 runs',
    shown(mean),
    shown(std),
    shown(min),
    shown(max),
    count
  );
}

/** A cell that only runs have. */
function ofRun(
  render: (run: RunRecord) => React.ReactNode,
  title?: (run: RunRecord) => string | undefined
): Pick<IColumn<TableRow>, 'render' | 'title'> {
  return {
    render: row => (row.kind === 'run' ? render(row.run) : ''),
    title: row => (row.kind === 'run' ? title?.(row.run) : undefined)
  };
}

function isNumber(text: string | undefined): boolean {
  return text === undefined || (text.trim() !== '' && !isNaN(Number(text)));
}

/** Enough for the name of the key, within reason. */
function widthOf(key: string, least: number): number {
  return Math.min(180, Math.max(least, key.length * 7.5 + 36));
}

/** A key as the server's filter and order language reads it. */
export function quote(key: string): string {
  return /^[A-Za-z_][\w.]*$/.test(key) ? key : `\`${key}\``;
}
