/** What the pages of jobs ask of the server. */

import type { Client, IPageQuery } from '../api';
import { join, urlOf } from '../api';
import type * as api from '../api/types';
import type { IFileSource } from '../components/files';
import type { ILogSource } from '../components/log';

export interface IJobsQuery extends IPageQuery {
  state?: string[];
  experiment?: string | null;
  text?: string;
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

/** The log of one attempt. */
export function jobLog(
  client: Client,
  name: string,
  attempt: number
): ILogSource {
  const path = join('jobs', name, 'log');
  return {
    key: `${name}/${attempt}`,
    url: urlOf(join('jobs', name, 'log', 'download'), {
      attempt: String(attempt)
    }),
    fileName: `${name}-${attempt}.log`,
    read: (query, signal) =>
      client.json(path, { query: { attempt, ...query }, signal }),
    search: query =>
      client.json(join('jobs', name, 'log', 'search'), {
        query: { attempt, ...query }
      })
  };
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
