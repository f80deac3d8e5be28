/** What the table of runs asks of the server. */
import { Client } from '../../api';
import type * as api from '../../api';

const post = <T>(
  client: Client,
  path: string,
  body: unknown,
  signal?: AbortSignal
): Promise<T> => client.json<T>(path, { method: 'POST', body, signal });

export function readRunWindow(
  client: Client,
  body: Partial<api.WindowRequest>,
  signal?: AbortSignal
): Promise<api.RunWindow> {
  return post(client, 'runs/window', body, signal);
}

export function groupRuns(
  client: Client,
  body: Partial<api.GroupsRequest> & { by: string },
  signal?: AbortSignal
): Promise<api.RunGroups> {
  return post(client, 'runs/groups', body, signal);
}

export async function readBestValues(
  client: Client,
  body: Partial<api.BestRequest>,
  signal?: AbortSignal
): Promise<api.BestReply['values']> {
  return (await post<api.BestReply>(client, 'runs/best', body, signal)).values;
}

export function readRunFields(
  client: Client,
  experiment: string | null,
  signal?: AbortSignal
): Promise<api.RunFields> {
  return client.json('runs/fields', { query: { experiment }, signal });
}

export function changeRuns(
  client: Client,
  body: Partial<api.ChangeRequest>
): Promise<api.ChangedRuns> {
  return post(client, 'runs/changes', body);
}

export async function listViews(
  client: Client,
  experiment: string | null,
  signal?: AbortSignal
): Promise<api.RunView[]> {
  const query = { experiment };
  const reply = client.json<api.ViewsReply>('runs/views', { query, signal });
  return (await reply).views;
}

export function saveView(
  client: Client,
  body: Partial<api.ViewRequest>
): Promise<api.RunView> {
  return client.json('runs/views', { method: 'PUT', body });
}

export async function deleteView(
  client: Client,
  experiment: string | null,
  name: string
): Promise<void> {
  const query = { experiment, name };
  await client.reply('runs/views', { method: 'DELETE', query });
}
