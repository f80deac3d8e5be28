/** Where the lines of a log come from: an attempt of a job, an endpoint, or whatever else prints. */
import type { LogMatches, LogPage } from '../../api';

/** Which part of a log: from an offset on, before one, around one, or its end. */
export interface ILogQuery {
  offset?: number;
  before?: number;
  near?: number;
  limit?: number;
}

/** What to look for, and from where. */
export interface ILogSearchQuery {
  text: string;
  offset?: number;
  limit?: number;
  is_backwards?: string;
}

export interface ILogSource {
  /** Tells one source from another. */
  readonly key: string;
  /** Where a browser downloads all of it, and as what. */
  readonly url: string;
  readonly fileName: string;
  read(query: ILogQuery, signal: AbortSignal): Promise<LogPage>;
  search(query: ILogSearchQuery): Promise<LogMatches>;
}
