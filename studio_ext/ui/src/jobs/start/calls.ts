/** What the form “Run as job” asks of the server. */
import { Client } from '../../api';
import type * as api from '../../api';

export function getForm(
  client: Client,
  path: string,
  signal?: AbortSignal
): Promise<api.SubmissionForm> {
  return client.json('submissions/form', { query: { path }, signal });
}

export function submit(
  client: Client,
  body: api.SubmissionRequest
): Promise<api.SubmissionReply> {
  return client.json('submissions', { method: 'POST', body });
}

export function previewTimes(
  client: Client,
  body: api.TimesRequest,
  signal?: AbortSignal
): Promise<api.TimesReply> {
  return client.json('submissions/times', { method: 'POST', body, signal });
}
