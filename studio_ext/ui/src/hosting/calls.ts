/** What the page of an endpoint asks of the server about how it runs. */
import type { Client } from '../api';
import { join, urlOf } from '../api';
import type * as api from '../api/types';
import type { ILogSource } from '../components/log';

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
  body: Partial<api.ScaleRequest>
): Promise<api.EndpointOperation> {
  return client.json(join('endpoints', name, 'scale'), {
    method: 'POST',
    body
  });
}

export function setWeights(
  client: Client,
  name: string,
  weights: { [variant: string]: number }
): Promise<api.EndpointOperation> {
  return client.json(join('endpoints', name, 'weights'), {
    method: 'POST',
    body: { weights }
  });
}

export function removeVariant(
  client: Client,
  name: string,
  variant: string
): Promise<api.EndpointOperation> {
  return client.json(join('endpoints', name, 'variants', variant), {
    method: 'DELETE'
  });
}

export function getHistory(
  client: Client,
  name: string,
  seconds: number,
  signal?: AbortSignal
): Promise<api.EndpointHistory> {
  return client.json(join('endpoints', name, 'history'), {
    query: { seconds },
    signal
  });
}

export function glance(
  client: Client,
  names: string[],
  signal?: AbortSignal
): Promise<api.Glances> {
  return client.json('endpoint-glances', {
    method: 'POST',
    body: { names },
    signal
  });
}

interface IPageQuery {
  limit: number;
  page_token: string | null;
}

export function listCaptures(
  client: Client,
  name: string,
  query: IPageQuery,
  signal?: AbortSignal
): Promise<api.CaptureReply> {
  return client.json(join('endpoints', name, 'captures'), {
    query: { ...query, limit: Math.min(query.limit, 500) },
    signal
  });
}

export function listAsyncRequests(
  client: Client,
  name: string,
  query: IPageQuery & { state: string | null },
  signal?: AbortSignal
): Promise<api.AsyncRequestPage> {
  return client.json(join('endpoints', name, 'async-requests'), {
    query: { ...query },
    signal
  });
}

export function getAsyncMetrics(
  client: Client,
  name: string,
  signal?: AbortSignal
): Promise<api.AsyncMetrics> {
  return client.json(join('endpoints', name, 'async-metrics'), { signal });
}

export function invokeAsync(
  client: Client,
  name: string,
  body: Partial<api.AsyncInvocationRequest>
): Promise<api.AsyncRecord> {
  return client.json(join('endpoints', name, 'async-requests'), {
    method: 'POST',
    body
  });
}

export function retryAsyncRequest(
  client: Client,
  name: string,
  id: string
): Promise<api.AsyncRecord> {
  return client.json(join('endpoints', name, 'async-requests', 'retry'), {
    method: 'POST',
    body: { id }
  });
}

export function cancelAsyncRequest(
  client: Client,
  name: string,
  id: string
): Promise<api.AsyncRecord> {
  return client.json(join('endpoints', name, 'async-requests', 'cancel'), {
    method: 'POST',
    body: { id }
  });
}

export function listTransforms(
  client: Client,
  query: IPageQuery,
  signal?: AbortSignal
): Promise<api.TransformPage> {
  return client.json('batch-transforms', { query: { ...query }, signal });
}

export function startTransform(
  client: Client,
  body: Partial<api.TransformRequest>
): Promise<api.TransformReply> {
  return client.json('batch-transforms', { method: 'POST', body });
}

/** Stop the job of a batch transform, or go on with what is missing in a new one, which is answered. */
export function changeTransform(
  client: Client,
  job: string,
  verb: 'stop' | 'rerun'
): Promise<api.JobRow> {
  return client.json(join('jobs', job, verb), { method: 'POST', body: {} });
}

/** The log of an endpoint; one that is deployed anew has another. */
export function endpointLog(
  client: Client,
  { name, created_at }: api.EndpointRecord
): ILogSource {
  return {
    key: `${name}/${created_at}`,
    url: urlOf(join('endpoints', name, 'log', 'download')),
    fileName: `${name}.log`,
    read: (query, signal) =>
      client.json(join('endpoints', name, 'log'), {
        query: { ...query },
        signal
      }),
    search: query =>
      client.json(join('endpoints', name, 'log', 'search'), {
        query: { ...query }
      })
  };
}
