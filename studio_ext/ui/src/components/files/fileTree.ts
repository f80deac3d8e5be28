/** Files as the rows of a tree whose folders are fetched when they are opened; nothing is drawn here. */
import type { ArtifactEntry, ArtifactRecord, FolderPage } from '../../api';

/** What is known of an opened folder. */
export interface IFolder {
  folders: ArtifactEntry[];
  files: ArtifactRecord[];
  next: string | null;
}

export type TreeRow =
  | { kind: 'folder'; id: string; depth: number; folder: ArtifactEntry }
  | { kind: 'file'; id: string; depth: number; file: ArtifactRecord }
  | { kind: 'more'; id: string; depth: number; parent: string }
  | { kind: 'waiting'; id: string; depth: number };

/** The folder at the top. */
export const TOP = '';

/** A folder with one more page of what is in it. */
export function extendFolder(
  known: IFolder | undefined,
  page: FolderPage
): IFolder {
  return {
    folders: [...(known?.folders ?? []), ...page.folders],
    files: [...(known?.files ?? []), ...page.files],
    next: page.next_page_token
  };
}

/** The rows in sight: the top folder, and below each open folder what is in it. */
export function treeRows(
  folders: ReadonlyMap<string, IFolder>,
  open: ReadonlySet<string>,
  path = TOP,
  depth = 0
): TreeRow[] {
  const known = folders.get(path);
  if (!known) {
    return [{ kind: 'waiting', id: `waiting:${path}`, depth }];
  }
  const rows: TreeRow[] = [];
  for (const folder of known.folders) {
    rows.push({ kind: 'folder', id: `${folder.path}/`, depth, folder });
    if (open.has(folder.path)) {
      rows.push(...treeRows(folders, open, folder.path, depth + 1));
    }
  }
  for (const file of known.files) {
    rows.push({ kind: 'file', id: file.path, depth, file });
  }
  if (known.next) {
    rows.push({ kind: 'more', id: `more:${path}`, depth, parent: path });
  }
  return rows;
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.split('/').pop() ?? path;
}
