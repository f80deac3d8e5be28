/** What the comparison asks the server. */
import * as api from '../../api';
import type { Client } from '../../api';

const PATH = 'runs-comparison';

export type FigureSpec = api.RunsFigureRequest['figure'];

export function compareRuns(
  client: Client,
  runs: string[],
  signal: AbortSignal
): Promise<api.RunsComparison> {
  return client.json(PATH, { method: 'POST', body: { runs }, signal });
}

export function drawRuns(
  client: Client,
  body: api.RunsFigureRequest,
  signal: AbortSignal
): Promise<api.RunsFigureReply> {
  return client.json(`${PATH}/figures`, { method: 'POST', body, signal });
}

export function compareCode(
  client: Client,
  first: string,
  second: string,
  signal: AbortSignal
): Promise<api.CodeComparison> {
  const body = { first, second };
  return client.json(`${PATH}/code`, { method: 'POST', body, signal });
}

export function compareFile(
  client: Client,
  body: { first: string; second: string; path: string },
  signal: AbortSignal
): Promise<api.FileDifference> {
  return client.json(`${PATH}/files`, { method: 'POST', body, signal });
}

export function compareEnvironments(
  client: Client,
  runs: string[],
  signal: AbortSignal
): Promise<api.EnvironmentReply> {
  const body = { runs };
  return client.json(`${PATH}/environment`, { method: 'POST', body, signal });
}

export function compareArtifacts(
  client: Client,
  runs: string[],
  signal: AbortSignal
): Promise<api.ComparedArtifacts> {
  const body = { runs };
  return client.json(`${PATH}/artifacts`, { method: 'POST', body, signal });
}
