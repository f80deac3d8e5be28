/** What a table of runs shows, as it is kept in saved views and from one session to the next. */
import type { RunGroup, ViewSettings, WindowRequest } from '../../api';
import { ISort, toNumber } from '../../components';

export const USUAL: ViewSettings = {
  filter: '',
  order_by: '',
  columns: null,
  group_by: null,
  is_nested: false,
  shown: 'active',
  goals: {}
};

/** The part of a request that says which runs are meant. */
export type Scope = Pick<
  WindowRequest,
  'experiment' | 'filter' | 'view' | 'is_archived'
>;

export function scopeOf(
  settings: ViewSettings,
  experiment: string | null
): Scope {
  return {
    experiment: experiment === null ? [] : [experiment],
    filter: settings.filter,
    view: settings.shown === 'deleted' ? 'DELETED_ONLY' : 'ACTIVE_ONLY',
    is_archived:
      settings.shown === 'deleted' ? null : settings.shown === 'archived'
  };
}

/** `metrics.auc DESC` as the head of a list says it. */
export function sortOf(orderBy: string): ISort | null {
  const match = /^(.+) (ASC|DESC)$/.exec(orderBy);
  return match ? { key: match[1], isDescending: match[2] === 'DESC' } : null;
}

export function orderOf(sort: ISort | null): string {
  return sort ? `${sort.key} ${sort.isDescending ? 'DESC' : 'ASC'}` : '';
}

/** Groups by the mean of the metric that the runs are ordered by; otherwise as the server has them, the largest first. */
export function sortGroups(groups: RunGroup[], orderBy: string): RunGroup[] {
  const sort = sortOf(orderBy);
  if (!sort?.key.startsWith('metrics.')) {
    return groups;
  }
  const key = sort.key.slice('metrics.'.length).replace(/^`|`$/g, '');
  const sign = sort.isDescending ? -1 : 1;
  const meanOf = (group: RunGroup) => {
    const mean = group.metrics[key]?.mean ?? null;
    return mean === null ? Infinity : sign * toNumber(mean);
  };
  return [...groups].sort((a, b) => meanOf(a) - meanOf(b) || 0);
}

/** Settings out of a store that anybody may have written to; what does not fit is the usual. */
export function readSettings(value: unknown): ViewSettings {
  const found = (typeof value === 'object' && value !== null ? value : {}) as {
    [name: string]: unknown;
  };
  const text = (name: string) =>
    typeof found[name] === 'string' ? (found[name] as string) : '';
  const columns = Array.isArray(found.columns)
    ? found.columns.filter(column => typeof column?.id === 'string')
    : null;
  const goals = Object.entries(found.goals ?? {}).filter(
    ([, goal]) => goal === 'max' || goal === 'min'
  );
  return {
    filter: text('filter'),
    order_by: sortOf(text('order_by')) ? text('order_by') : '',
    columns:
      columns?.map(({ id, width }) => ({
        id,
        width: typeof width === 'number' ? width : null
      })) ?? null,
    group_by: text('group_by') || null,
    is_nested: found.is_nested === true,
    shown:
      found.shown === 'archived' || found.shown === 'deleted'
        ? found.shown
        : 'active',
    goals: Object.fromEntries(goals)
  };
}

const LOWER_IS_BETTER =
  /(^|[^a-z])(log_?loss|loss|err|error|rmse|mse|mae|mape|smape|perplexity|wer|cer|fid|seconds?|time|duration|latency)([^a-z]|$)/i;

/** Whether the highest or the lowest value of a metric is the best, by its name, unless somebody said otherwise. */
export function goalOf(
  key: string,
  goals: ViewSettings['goals']
): 'max' | 'min' {
  return goals[key] ?? (LOWER_IS_BETTER.test(key) ? 'min' : 'max');
}
