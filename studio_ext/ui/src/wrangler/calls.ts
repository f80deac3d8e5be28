/** What the pages of recipes ask of the server. */
import type { Client } from '../api';
import { join } from '../api';
import type * as api from '../api/types';
import type { IRecipe } from './document';

/** Milliseconds between two questions how far work is. */
const TASK_INTERVAL = 200;

export type Progress = {
  description?: string;
  done?: number;
  total?: number | null;
};

function at(session: string, ...parts: string[]): string {
  return join('wrangler', 'sessions', session, ...parts);
}

export function listOperators(
  client: Client,
  signal?: AbortSignal
): Promise<api.OperatorList> {
  return client.json('wrangler/operators', { signal });
}

export function listAnalyses(
  client: Client,
  signal?: AbortSignal
): Promise<api.AnalysisKinds> {
  return client.json('wrangler/analyses', { signal });
}

export function listRecipes(
  client: Client,
  signal?: AbortSignal
): Promise<api.RecipeFiles> {
  return client.json('wrangler/recipes', { signal });
}

export function createRecipe(
  client: Client,
  body: { source: string; folder?: string; query?: string | null }
): Promise<{ path: string }> {
  return client.json('wrangler/recipes', { method: 'POST', body });
}

export function openRecipe(
  client: Client,
  body: { path: string; content: string },
  signal?: AbortSignal
): Promise<api.SessionReply> {
  return client.json('wrangler/sessions', { method: 'POST', body, signal });
}

export async function closeRecipe(
  client: Client,
  session: string
): Promise<void> {
  await client.reply(at(session), { method: 'DELETE' });
}

export function updateRecipe(
  client: Client,
  session: string,
  document: IRecipe,
  signal?: AbortSignal
): Promise<api.RecipeReply> {
  return client.json(at(session), {
    method: 'PUT',
    body: { document },
    signal
  });
}

export function describeSource(
  client: Client,
  session: string,
  source: string,
  signal?: AbortSignal
): Promise<api.SourceReport> {
  return client.json(at(session, 'sources', source), { signal });
}

export function submitRecipe(
  client: Client,
  session: string,
  body: {
    document: IRecipe;
    node: string;
    path: string;
    name: string;
    cron?: string;
  }
): Promise<api.RecipeJobReply> {
  return client.json(at(session, 'jobs'), { method: 'POST', body });
}

export function trustRecipe(
  client: Client,
  session: string,
  document: IRecipe
): Promise<api.RecipeReply> {
  const body = { document };
  return client.json(at(session, 'trust'), { method: 'PUT', body });
}

export function compareStep(
  client: Client,
  session: string,
  document: IRecipe,
  node: string,
  signal?: AbortSignal
): Promise<api.CompareReply> {
  const body = { document, node };
  return client.json(at(session, 'comparison'), {
    method: 'POST',
    body,
    signal
  });
}

export function arrangeView(
  client: Client,
  session: string,
  body: Partial<api.ArrangeRequest> & { view: string },
  signal?: AbortSignal
): Promise<api.ArrangedReply> {
  const path = at(session, 'arrangements');
  return client.json(path, { method: 'POST', body, signal });
}

export async function readWindow(
  client: Client,
  session: string,
  body: {
    view: string;
    start: number;
    count: number;
    columns?: string[];
    before?: string | null;
  },
  signal?: AbortSignal
): Promise<Uint8Array> {
  const reply = await client.reply(at(session, 'window'), {
    method: 'POST',
    body,
    signal
  });
  return new Uint8Array(await reply.arrayBuffer());
}

export function readCell(
  client: Client,
  session: string,
  query: { view: string; row: number; column: string },
  signal?: AbortSignal
): Promise<api.CellReply> {
  return client.json(at(session, 'cell'), { query, signal });
}

export function writeCode(
  client: Client,
  session: string,
  dialect: string,
  signal?: AbortSignal
): Promise<api.CodeReply> {
  const body = { dialect };
  return client.json(at(session, 'code'), { method: 'POST', body, signal });
}

/** What the checks have found in the rows after a step, as a file. */
export async function downloadInsights(
  client: Client,
  session: string,
  node: string,
  form: 'html' | 'notebook'
): Promise<Blob> {
  const path = at(session, 'insights', 'report');
  const reply = await client.reply(path, { query: { node, form } });
  return reply.blob();
}

/** Long work of a session: starts it, asks how far it is, returns what comes out; a cancelled signal stops it. */
export async function runTask<T>(
  client: Client,
  session: string,
  what: string,
  body: unknown,
  options: { signal?: AbortSignal; onProgress?(progress: Progress): void } = {}
): Promise<T> {
  const { signal, onProgress } = options;
  let task: api.WranglerTask = await client.json(at(session, what), {
    method: 'POST',
    body
  });
  const path = at(session, 'tasks', task.task);
  while (task.state === 'running') {
    if (signal?.aborted) {
      await client.reply(path, { method: 'DELETE' });
      throw new DOMException('Stopped', 'AbortError');
    }
    if (task.progress) {
      onProgress?.(task.progress as Progress);
    }
    await new Promise(resolve => window.setTimeout(resolve, TASK_INTERVAL));
    task = await client.json(path);
  }
  return task.result as T;
}
