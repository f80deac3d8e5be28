/** The data of the runs table: rows in sight, totals, best values, kept up to date. */
import * as React from 'react';

import type { ApiError, LiveBatch, RunFields, ViewSettings } from '../../api';
import { sortedKeys } from '../../components';
import { useLive, useResource, useStudio } from '../../frame';
import { FAVOURITE_TAG, IKeys, keysOfRuns, usualColumns } from '../columns';
import { groupRuns, readBestValues, readRunWindow } from './calls';
import { goalOf, scopeOf, sortGroups } from './settings';
import { RunTree } from './tree';

/** Metrics that the server summarizes at once. */
const MAX_SUMMARIZED = 20;
/** Metrics, and parameters, that are shown unless somebody chooses others. */
const MAX_KEYS = 100;
/** Milliseconds between two readings of an order that runs come into or leave. */
const CALM = 2000;

export interface IRunTable {
  /** Null until the first rows are there. */
  tree: RunTree | null;
  /** Whether `tree` is what the settings ask for, and not what was shown before. */
  isCurrent: boolean;
  error: ApiError | null;
  columns: NonNullable<ViewSettings['columns']>;
  keys: IKeys;
  best: { [metric: string]: unknown };
  refresh(): void;
}

const NO_KEYS: IKeys = { metrics: [], params: [], numeric: new Set() };

export function useRunTable(
  experiment: string | null,
  settings: ViewSettings,
  fields: RunFields | null
): IRunTable {
  const studio = useStudio();
  const { client } = studio;
  const [, draw] = React.useReducer((count: number) => count + 1, 0);
  const [keys, setKeys] = React.useState<IKeys | null>(null);
  const isGrouped = settings.group_by !== null;

  const known = keys ?? keysOfFields(fields);
  const columns = React.useMemo(
    () =>
      settings.columns ??
      usualColumns(known ?? NO_KEYS, experiment !== null).map(id => ({
        id,
        width: null
      })),
    [settings.columns, known, experiment]
  );
  const ids = columns.map(({ id }) => id);
  const metrics = ids
    .filter(id => id.startsWith('metrics.'))
    .map(id => id.slice('metrics.'.length));
  const wanted = React.useRef({ columns: null as string[] | null, metrics });
  wanted.current = {
    columns:
      settings.columns === null && keys === null
        ? null
        : [...ids.filter(id => id.includes('.')), `tags.${FAVOURITE_TAG}`],
    metrics
  };

  // Groups need the keys of their metrics; runs bring theirs along.
  const canStart = !isGrouped || settings.columns !== null || known !== null;
  const scope = scopeOf(settings, experiment);
  const key = JSON.stringify([
    'runs',
    scope,
    settings.order_by,
    settings.group_by,
    !isGrouped && settings.is_nested,
    canStart
  ]);
  const tree = React.useMemo(() => {
    const order_by = settings.order_by ? [settings.order_by] : [];
    return new RunTree({
      isNested: !isGrouped && settings.is_nested,
      groupBy: settings.group_by,
      fetch: async (request, signal) => {
        const isAnew = request.order === null && settings.columns === null;
        const reply = await readRunWindow(
          client,
          {
            ...scope,
            order_by,
            ...request,
            columns: isAnew ? null : wanted.current.columns
          },
          signal
        );
        if (isAnew && reply.rows.length) {
          const found = keysOfRuns(reply.rows);
          setKeys(old => (old ? mergeKeys(old, found) : found));
        }
        return reply;
      },
      fetchGroups:
        settings.group_by === null
          ? null
          : async signal => {
              const metrics = wanted.current.metrics.slice(0, MAX_SUMMARIZED);
              const reply = await groupRuns(
                client,
                {
                  ...scope,
                  by: settings.group_by as string,
                  metrics,
                  lowest: metrics.filter(
                    metric => goalOf(metric, settings.goals) === 'min'
                  )
                },
                signal
              );
              return {
                ...reply,
                groups: sortGroups(reply.groups, settings.order_by)
              };
            }
    });
  }, [key]);
  React.useEffect(() => {
    tree.changed.connect(draw);
    return () => tree.dispose();
  }, [tree]);

  const isLive = useLiveTable(experiment, tree, () => resource.refresh());
  React.useEffect(() => {
    const onChanged = () => void (tree.isStale = true);
    studio.changed.connect(onChanged);
    return () => void studio.changed.disconnect(onChanged);
  }, [studio, tree]);
  const live = React.useRef(isLive);
  live.current = isLive;
  const resource = useResource<RunTree | null>(key, async (signal, before) => {
    if (canStart && !(before && live.current && !tree.isStale)) {
      await tree.refresh(signal);
    }
    return canStart ? tree : null;
  });

  const columnKey = JSON.stringify([ids.slice().sort(), settings.goals]);
  const lastColumnKey = React.useRef(columnKey);
  React.useEffect(() => {
    if (
      lastColumnKey.current !== columnKey &&
      (settings.columns || isGrouped)
    ) {
      tree.isStale = true;
      resource.refresh();
    }
    lastColumnKey.current = columnKey;
  }, [columnKey]);

  const best = useResource(
    JSON.stringify(['best', scope, metrics, settings.goals]),
    async signal => {
      const lowest = metrics.filter(
        metric => goalOf(metric, settings.goals) === 'min'
      );
      const highest = metrics.filter(metric => !lowest.includes(metric));
      return metrics.length
        ? readBestValues(client, { ...scope, highest, lowest }, signal)
        : {};
    }
  );

  // While another search loads, the rows of the one before stay where they are.
  const last = React.useRef<RunTree | null>(null);
  if (resource.data) {
    last.current = resource.data;
  }
  return {
    tree: last.current,
    isCurrent: last.current === tree,
    error: resource.error ?? (last.current === tree ? tree.error : null),
    columns,
    keys: known ?? NO_KEYS,
    best: best.data ?? {},
    refresh: () => {
      tree.isStale = true;
      resource.refresh();
    }
  };
}

/** Take over what the server tells, at once for rows and calmly for their order; returns whether it tells. */
function useLiveTable(
  experiment: string | null,
  tree: RunTree,
  refresh: () => void
): boolean {
  const timer = React.useRef(0);
  React.useEffect(() => () => window.clearTimeout(timer.current), []);
  return useLive(
    { experiment: experiment === null ? [] : [experiment], run_id: null },
    (batch: LiveBatch) => {
      tree.update(batch.runs);
      if (batch.is_set_changed || batch.must_reload) {
        tree.isStale = true;
        window.clearTimeout(timer.current);
        timer.current = window.setTimeout(
          refresh,
          batch.must_reload ? 0 : CALM
        );
      }
    }
  );
}

function keysOfFields(fields: RunFields | null): IKeys | null {
  return (
    fields && {
      metrics: fields.metrics.slice(0, 40).map(field => field.key),
      params: fields.params.slice(0, 40).map(field => field.key),
      numeric: new Set(
        fields.params.filter(field => field.is_numeric).map(field => field.key)
      )
    }
  );
}

/** What is known stays, so that another order or filter takes no column away. */
function mergeKeys(old: IKeys, found: IKeys): IKeys {
  const all = (a: string[], b: string[]) =>
    sortedKeys(Object.fromEntries([...a, ...b].map(key => [key, null]))).slice(
      0,
      MAX_KEYS
    );
  const merged = {
    metrics: all(old.metrics, found.metrics),
    params: all(old.params, found.params),
    numeric: new Set(
      [...old.numeric, ...found.numeric].filter(
        key =>
          (old.numeric.has(key) || !old.params.includes(key)) &&
          (found.numeric.has(key) || !found.params.includes(key))
      )
    )
  };
  const text = ({ metrics, params, numeric }: IKeys) =>
    JSON.stringify([metrics, params, [...numeric].sort()]);
  return text(old) === text(merged) ? old : merged;
}
