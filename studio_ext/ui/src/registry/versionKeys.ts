/** Versions written as one text, such as `census:1~census:2`; a model's name holds no colon. */
import type { IVersionKey } from './calls';

export function formatVersions(versions: IVersionKey[]): string {
  return versions.map(formatVersion).join('~');
}

export function formatVersion({ model, version }: IVersionKey): string {
  return `${model}:${version}`;
}

export function parseVersions(text: string): IVersionKey[] {
  return [...text.matchAll(/([^:]+):(\d{1,9})(?:~|$)/g)].map(
    ([, model, version]) => ({ model, version: Number(version) })
  );
}
