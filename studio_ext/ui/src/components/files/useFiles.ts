/** The folders of files, fetched as they are opened or searched. */
import * as React from 'react';

import { ApiError } from '../../api';
import { IFolder, TOP, extendFolder } from './fileTree';
import type { IFileSource } from './source';

const PAGE = 1000;

export interface IFiles {
  folders: ReadonlyMap<string, IFolder>;
  open: ReadonlySet<string>;
  error: ApiError | null;
  toggle(path: string): void;
  loadMore(path: string): void;
}

/** `version` changes when there are other files; then everything that is open is fetched again. */
export function useFiles(
  source: IFileSource,
  search: string,
  version: string
): IFiles {
  const [folders, setFolders] = React.useState<ReadonlyMap<string, IFolder>>(
    new Map()
  );
  const [open, setOpen] = React.useState<ReadonlySet<string>>(new Set());
  const [error, setError] = React.useState<ApiError | null>(null);
  const controller = React.useRef(new AbortController());
  const opened = React.useRef(open);
  opened.current = open;

  const load = React.useCallback(
    async (path: string, known?: IFolder) => {
      const { signal } = controller.current;
      const query = { folder: path, search, limit: PAGE };
      try {
        const page_token = known?.next ?? null;
        const page = await source.list({ ...query, page_token }, signal);
        if (!signal.aborted) {
          setError(null);
          setFolders(old => new Map(old).set(path, extendFolder(known, page)));
        }
      } catch (failure) {
        if (!signal.aborted) {
          setError(
            failure instanceof ApiError
              ? failure
              : ApiError.fromFailure(failure)
          );
        }
      }
    },
    [source.key, search]
  );
  React.useEffect(() => {
    controller.current = new AbortController();
    const { current } = controller;
    // A pause, so that a word that is being typed is one question.
    const timer = window.setTimeout(
      () => {
        void load(TOP);
        opened.current.forEach(path => search || void load(path));
      },
      search ? 250 : 0
    );
    return () => {
      window.clearTimeout(timer);
      current.abort();
    };
  }, [load, search, version]);
  return {
    folders,
    open,
    error,
    toggle: path => {
      const next = new Set(open);
      if (!next.delete(path)) {
        next.add(path);
        void load(path);
      }
      setOpen(next);
    },
    loadMore: path => void load(path, folders.get(path))
  };
}
