/** What the views of the Debugger and the profiler ask of the server. */
import type { Client, IPageQuery } from '../api';
import { join, urlOf } from '../api';
import type * as api from '../api/types';

/** A figure by its name, and what it is asked to show. */
export interface IFigureRequest {
  figure: string;
  arguments?: Partial<api.EvidenceRequest>;
  /** The run to compare with. */
  other?: string;
}

export function readDebugger(
  client: Client,
  run: string,
  signal?: AbortSignal
): Promise<api.DebuggerReply> {
  return client.json(join('runs', run, 'debugger'), { signal });
}

export function drawCapture(
  client: Client,
  run: string,
  request: IFigureRequest,
  signal?: AbortSignal
): Promise<api.FigureReply> {
  const path = join('runs', run, 'debugger', 'figures');
  return client.json(path, { method: 'POST', body: { ...request }, signal });
}

export function listTensors(
  client: Client,
  run: string,
  query: IPageQuery & { search?: string; collection?: string },
  signal?: AbortSignal
): Promise<api.TensorRows> {
  const path = join('runs', run, 'debugger', 'tensors');
  return client.json(path, { query: { ...query }, signal });
}

export function readTensor(
  client: Client,
  run: string,
  query: { name: string; step?: number; mode?: string },
  signal?: AbortSignal
): Promise<api.TensorDetail> {
  const path = join('runs', run, 'debugger', 'tensor');
  return client.json(path, { query: { ...query }, signal });
}

export function listWatchedRuns(
  client: Client,
  run: string,
  signal?: AbortSignal
): Promise<api.WatchedRuns> {
  return client.json(join('runs', run, 'debugger', 'others'), { signal });
}

export function readProfile(
  client: Client,
  run: string,
  signal?: AbortSignal
): Promise<api.ProfilerReply> {
  return client.json(join('runs', run, 'profiler'), { signal });
}

export function listNotices(
  client: Client,
  since: number
): Promise<api.NoticesReply> {
  return client.json('debugger/-/notices', { query: { since } });
}

export function profileReportUrl(run: string): string {
  return urlOf(join('runs', run, 'profiler', 'report'));
}
