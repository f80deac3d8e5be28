/** What the table of compiled packages asks of the server. */
import type { Client } from '../api';
import { join } from '../api';
import type * as api from '../api/types';

/** A version by the name of its model and its number. */
interface IVersionKey {
  model: string;
  version: number;
}

export function listPackages(
  client: Client,
  key: IVersionKey,
  signal?: AbortSignal
): Promise<api.PackageList> {
  return client.json(packagesPath(key), { signal });
}

export function compileVersion(
  client: Client,
  key: IVersionKey,
  body: Partial<api.CompileRequest>
): Promise<api.CompileReply> {
  return client.json(packagesPath(key), { method: 'POST', body });
}

export async function deletePackage(
  client: Client,
  key: IVersionKey,
  id: string
): Promise<void> {
  await client.reply(`${packagesPath(key)}/${id}`, { method: 'DELETE' });
}

function packagesPath({ model, version }: IVersionKey): string {
  return join('models', model, 'versions', version, 'packages');
}
