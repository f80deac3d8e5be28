/** What the page of a run asks of the server. */
import type { Client, IPageQuery } from '../api';
import { join } from '../api';
import type * as api from '../api/types';

/** What the curves of metrics are drawn against, and how. */
export interface IChartOptions {
  x: 'step' | 'time' | 'relative';
  smoothing: number;
  isLog: boolean;
}

export function changeRun(
  client: Client,
  id: string,
  body: Partial<api.ChangeRunRequest>
): Promise<api.RunRecord> {
  return client.json(join('runs', id), { method: 'PATCH', body });
}

export async function deleteRun(client: Client, id: string): Promise<void> {
  await client.reply(join('runs', id), { method: 'DELETE' });
}

export function restoreRun(client: Client, id: string): Promise<api.RunRecord> {
  const path = join('runs', id, 'restore');
  return client.json(path, { method: 'POST', body: {} });
}

export function runMetrics(
  client: Client,
  id: string,
  query: IPageQuery & { search?: string },
  signal?: AbortSignal
): Promise<api.SummaryPage> {
  const path = join('runs', id, 'metrics');
  return client.json(path, { query: { ...query }, signal });
}

export function nestedRuns(
  client: Client,
  id: string,
  signal?: AbortSignal
): Promise<api.NestedRuns> {
  return client.json(join('runs', id, 'nested'), { signal });
}

export function runFiles(
  client: Client,
  id: string,
  query: IPageQuery & { folder?: string; search?: string },
  signal?: AbortSignal
): Promise<api.FolderPage> {
  const path = join('runs', id, 'artifacts');
  return client.json(path, { query: { ...query }, signal });
}

export function runTable(
  client: Client,
  id: string,
  query: { path: string; start: number; limit: number },
  signal?: AbortSignal
): Promise<api.TableWindow> {
  const path = join('runs', id, 'artifacts', 'table');
  return client.json(path, { query: { ...query }, signal });
}

/** The figure of some metrics, and the code that makes it if the server tells. */
export function drawMetrics(
  client: Client,
  id: string,
  keys: string[],
  options: IChartOptions,
  signal?: AbortSignal
): Promise<api.FigureReply> {
  const path = join('runs', id, 'figures', 'metrics');
  const query = {
    key: keys,
    x: options.x === 'step' ? null : options.x,
    smoothing: options.smoothing || null,
    log_y: options.isLog ? 'true' : null
  };
  return client.json(path, { query, signal });
}
