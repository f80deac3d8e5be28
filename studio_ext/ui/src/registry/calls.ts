/** What the pages of models ask of the server. */
import { PageConfig, URLExt } from '@jupyterlab/coreutils';

import type { Client, IPageQuery } from '../api';
import { join } from '../api';
import type * as api from '../api/types';

/** A version by the name of its model and its number. */
export interface IVersionKey {
  model: string;
  version: number;
}

export function findModels(
  client: Client,
  query: IPageQuery & { filter?: string },
  signal?: AbortSignal
): Promise<api.ModelPage> {
  return client.json('models', { query: { ...query }, signal });
}

export function createModel(
  client: Client,
  body: { name: string; description: string }
): Promise<api.ModelGroup> {
  const whole = { tags: {}, ...body };
  return client.json('models', { method: 'POST', body: whole });
}

export function getModel(
  client: Client,
  name: string,
  signal?: AbortSignal
): Promise<api.ModelGroup> {
  return client.json(join('models', name), { signal });
}

export function changeModel(
  client: Client,
  name: string,
  body: Partial<api.ChangeModelRequest>
): Promise<api.ModelGroup> {
  return client.json(join('models', name), { method: 'PATCH', body });
}

export async function deleteModel(client: Client, name: string): Promise<void> {
  await client.reply(join('models', name), { method: 'DELETE' });
}

export function changeVersion(
  client: Client,
  { model, version }: IVersionKey,
  body: Partial<api.ChangeVersionRequest>
): Promise<api.VersionRecord> {
  const path = versionPath(model, version);
  return client.json(path, { method: 'PATCH', body });
}

export async function deleteVersion(
  client: Client,
  { model, version }: IVersionKey
): Promise<void> {
  await client.reply(versionPath(model, version), { method: 'DELETE' });
}

export function setAlias(
  client: Client,
  { model, version }: IVersionKey,
  alias: string
): Promise<api.ModelGroup> {
  const path = join('models', model, 'aliases', alias);
  return client.json(path, { method: 'PUT', body: { version } });
}

export async function deleteAlias(
  client: Client,
  model: string,
  alias: string
): Promise<void> {
  const path = join('models', model, 'aliases', alias);
  await client.reply(path, { method: 'DELETE' });
}

export async function promote(
  client: Client,
  { model, version }: IVersionKey,
  body: { alias: string; reason: string }
): Promise<void> {
  const path = join('models', model, 'versions', version, 'promotion');
  await client.reply(path, { method: 'POST', body });
}

export function listCards(
  client: Client,
  { model, version }: IVersionKey,
  signal?: AbortSignal
): Promise<api.CardPage> {
  const path = join('models', model, 'versions', version, 'card');
  return client.json(path, { signal });
}

export function writeCard(
  client: Client,
  { model, version }: IVersionKey,
  body: Partial<api.CardRequest>
): Promise<api.ModelCard> {
  const path = join('models', model, 'versions', version, 'card');
  return client.json(path, { method: 'PUT', body });
}

export function versionHistory(
  client: Client,
  { model, version }: IVersionKey,
  signal?: AbortSignal
): Promise<api.VersionHistory> {
  const path = join('models', model, 'versions', version, 'events');
  return client.json(path, { signal });
}

export function compareVersions(
  client: Client,
  versions: IVersionKey[],
  signal?: AbortSignal
): Promise<api.ComparisonReply> {
  const body = { versions, differences_only: false };
  return client.json('models-comparison', { method: 'POST', body, signal });
}

/** Where a browser downloads a file of a version from. */
export function modelFileUrl(
  { model, version }: IVersionKey,
  path: string
): string {
  const address = join(
    'models',
    model,
    'versions',
    version,
    'files',
    'content'
  );
  const url = URLExt.join(PageConfig.getBaseUrl(), 'studio/api', address);
  return `${url}?${new URLSearchParams({ path })}`;
}

function versionPath(model: string, version: number): string {
  return join('models', model, 'versions', version);
}
