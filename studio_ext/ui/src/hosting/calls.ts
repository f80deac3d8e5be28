/** What the page of an endpoint asks of the server about how it runs. */
import type { Client } from '../api';
import { join } from '../api';
import type * as api from '../api/types';

export function getOperation(
  client: Client,
  name: string,
  signal?: AbortSignal
): Promise<api.EndpointOperation> {
  return client.json(join('endpoints', name, 'operation'), { signal });
}

export function updateEndpoint(
  client: Client,
  name: string,
  body: Partial<api.UpdateRequest>
): Promise<api.EndpointOperation> {
  return client.json(join('endpoints', name, 'update'), {
    method: 'POST',
    body
  });
}

export function rollbackEndpoint(
  client: Client,
  name: string
): Promise<api.EndpointOperation> {
  return client.json(join('endpoints', name, 'rollback'), {
    method: 'POST',
    body: {}
  });
}

export function scaleEndpoint(
  client: Client,
  name: string,
  workers: number
): Promise<api.EndpointOperation> {
  return client.json(join('endpoints', name, 'scale'), {
    method: 'POST',
    body: { workers }
  });
}
