/** What the pages of jobs ask of the server. */

import type { Client, IPageQuery } from '../api';
import { join, urlOf } from '../api';
import type * as api from '../api/types';
import type { IFileSource } from '../components/files';

export interface IJobsQuery extends IPageQuery {
  state?: string[];
  experiment?: string | null;
  text?: string;
}

/** Which part of a log: from an offset on, before one, around one, or its end. */
export interface ILogQuery {
  attempt: number;
  offset?: number;
  before?: number;
  near?: number;
  limit?: number;
}

export function listJobs(
  client: Client,
  query: IJobsQuery,
  signal?: AbortSignal
): Promise<api.JobPage> {
  return client.json('jobs', { query: { ...query }, signal });
}

export function countJobs(
  client: Client,
  signal?: AbortSignal
): Promise<api.JobCounts> {
  return client.json('jobs/-/counts', { signal });
}

export function endedJobs(
  client: Client,
  since: number
): Promise<api.EndedJobs> {
  return client.json('jobs/-/ended', { query: { since } });
}

export function readJob(
  client: Client,
  name: string,
  signal?: AbortSignal
): Promise<api.JobDetail> {
  return client.json(join('jobs', name), { signal });
}

export function changeJobs(
  client: Client,
  names: string[],
  change: 'stop' | 'delete'
): Promise<api.ChangedJobs> {
  const body = { names, change };
  return client.json('jobs/-/changes', { method: 'POST', body });
}

/** Stop, rerun or interrupt; answers the job that is meant, after `rerun` the new one. */
export function doWithJob(
  client: Client,
  name: string,
  verb: 'stop' | 'rerun' | 'interrupt'
): Promise<api.JobRow> {
  return client.json(join('jobs', name, verb), { method: 'POST', body: {} });
}

export async function deleteJob(client: Client, name: string): Promise<void> {
  await client.reply(join('jobs', name), { method: 'DELETE' });
}

/** Write a notebook that submits the job again; answers its path for JupyterLab. */
export async function cloneAsNotebook(
  client: Client,
  name: string
): Promise<string> {
  const path = join('jobs', name, 'notebook');
  const reply = await client.json<{ path: string }>(path, {
    method: 'POST',
    body: {}
  });
  return reply.path;
}

export function readLog(
  client: Client,
  name: string,
  query: ILogQuery,
  signal?: AbortSignal
): Promise<api.LogPage> {
  return client.json(join('jobs', name, 'log'), {
    query: { ...query },
    signal
  });
}

export function searchLog(
  client: Client,
  name: string,
  query: {
    attempt: number;
    text: string;
    offset?: number;
    limit?: number;
    is_backwards?: string;
  },
  signal?: AbortSignal
): Promise<api.LogMatches> {
  const path = join('jobs', name, 'log', 'search');
  return client.json(path, { query: { ...query }, signal });
}

export function logUrl(name: string, attempt: number): string {
  return urlOf(join('jobs', name, 'log', 'download'), {
    attempt: String(attempt)
  });
}

export function drawUsage(
  client: Client,
  name: string,
  attempt: number,
  signal?: AbortSignal
): Promise<api.UsageReply> {
  return client.json(join('jobs', name, 'usage'), {
    query: { attempt },
    signal
  });
}

/** The files that a job has left. */
export function jobSource(client: Client, name: string): IFileSource {
  const path = join('jobs', name, 'outputs');
  return {
    key: `job/${name}`,
    url: file => urlOf(`${path}/content`, { path: file }),
    read: async (file, signal) =>
      (
        await client.reply(`${path}/content`, { query: { path: file }, signal })
      ).blob(),
    list: (query, signal) => client.json(path, { query: { ...query }, signal }),
    rows: (query, signal) =>
      client.json(`${path}/table`, { query: { ...query }, signal }),
    code: file =>
      [
        'import kernel_tools as kt',
        '',
        `job = kt.jobs.get(${JSON.stringify(name)})`,
        `path = job.output().file(${JSON.stringify(file)})`
      ].join('\n')
  };
}
