/** What the page of a run asks of the server. */
import type { Client, IPageQuery } from '../api';
import { join } from '../api';
import type * as api from '../api/types';
import type { IFileSource } from '../components/files';

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

/** The files of a run. */
export function runSource(client: Client, id: string): IFileSource {
  return {
    key: `run/${id}`,
    url: path => client.artifactUrl(id, path),
    read: (path, signal) => client.artifact(id, path, signal),
    list: (query, signal) =>
      client.json(join('runs', id, 'artifacts'), {
        query: { ...query },
        signal
      }),
    rows: (query, signal) =>
      client.json(join('runs', id, 'artifacts', 'table'), {
        query: { ...query },
        signal
      }),
    code: path => artifactCode(id, path)
  };
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

/** The code that opens a file of a run in a notebook. */
export function artifactCode(runId: string, path: string): string {
  return [
    'import kernel_tools as kt',
    '',
    `run = kt.experiments.get_run(${JSON.stringify(runId)})`,
    `with run.open_artifact(${JSON.stringify(path)}) as file:`,
    '    content = file.read()'
  ].join('\n');
}
