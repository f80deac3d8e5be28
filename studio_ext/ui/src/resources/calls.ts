/** What the page of running resources asks of the server. */
import { Client, join } from '../api';
import type * as api from '../api';

export function listResources(
  client: Client,
  signal?: AbortSignal
): Promise<api.ResourcesReply> {
  return client.json('resources', { signal });
}

export function getMemory(
  client: Client,
  signal?: AbortSignal
): Promise<api.MemoryReply> {
  return client.json('resources/memory', { signal });
}

export async function stopResource(
  client: Client,
  { kind, id }: Pick<api.Resource, 'kind' | 'id'>
): Promise<void> {
  const path = join('resources', kind, id, 'stop');
  await client.reply(path, { method: 'POST', body: {} });
}

export function getPolicy(
  client: Client,
  signal?: AbortSignal
): Promise<api.PolicyReply> {
  return client.json('resources/policy', { signal });
}

export function setPolicy(
  client: Client,
  body: api.IdlePolicy
): Promise<api.PolicyReply> {
  return client.json('resources/policy', { method: 'PUT', body });
}
