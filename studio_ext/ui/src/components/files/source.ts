/** Where files come from: a run, a job, or whatever else keeps some. */
import type { FolderPage, IPageQuery, TableWindow } from '../../api';

export interface IFileSource {
  /** Tells one source from another. */
  readonly key: string;
  /** Where a browser downloads a file from. */
  url(path: string): string;
  read(path: string, signal: AbortSignal): Promise<Blob>;
  list(
    query: IPageQuery & { folder?: string; search?: string },
    signal: AbortSignal
  ): Promise<FolderPage>;
  /** Rows of a table. */
  rows(
    query: { path: string; start: number; limit: number },
    signal?: AbortSignal
  ): Promise<TableWindow>;
  /** The code that opens a file in a notebook. */
  code(path: string): string;
}
