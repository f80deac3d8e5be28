/** The typed client of Atelier's HTTP API: one method per verb and path. */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { ISignal, Signal } from '@lumino/signaling';

import { ApiError } from './errors';
import * as api from './types';
import { VERSION } from './version';

type Query = { [key: string]: string | number | string[] | null | undefined };

/** One request. */
export interface ICall {
  method?: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  query?: Query;
  body?: unknown;
  signal?: AbortSignal;
}

/** A page of something: what to skip and how much to fetch. */
export interface IPageQuery {
  limit?: number;
  page_token?: string | null;
}

/** Which runs, in which order. */
export interface IRunQuery extends IPageQuery {
  experiment?: string | null;
  filter?: string;
  order_by?: string[];
}

/** Speaks with `/studio/api` of the Jupyter server that served the page. */
export class Client {
  constructor(options: Client.IOptions) {
    this._settings = options.serverSettings;
    this._version = options.version ?? VERSION;
  }

  /** Emitted once, when a reply comes from a server of another version than this front-end. */
  get staleChanged(): ISignal<this, string> {
    return this._staleChanged;
  }

  /** The server's version if it is not this front-end's, else null. */
  get serverVersion(): string | null {
    return this._serverVersion;
  }

  version(signal?: AbortSignal): Promise<api.VersionReply> {
    return this.json('version', { signal });
  }

  home(signal?: AbortSignal): Promise<api.HomeReply> {
    return this.json('home', { signal });
  }

  experiments(
    query: IPageQuery,
    signal?: AbortSignal
  ): Promise<api.ExperimentPage> {
    return this.json('experiments', { query: { ...query }, signal });
  }

  runs(query: IRunQuery, signal?: AbortSignal): Promise<api.RunPage> {
    return this.json('runs', { query: { ...query }, signal });
  }

  run(id: string, signal?: AbortSignal): Promise<api.RunDetail> {
    return this.json(join('runs', id), { signal });
  }

  async metricsFigure(
    id: string,
    keys: string[],
    signal?: AbortSignal
  ): Promise<api.FigureReply> {
    const path = join('runs', id, 'figures', 'metrics');
    return this.json(path, { query: { key: keys }, signal });
  }

  /** Where a browser downloads an artifact from. */
  artifactUrl(id: string, path: string): string {
    return this._url(join('runs', id, 'artifacts', 'content'), { path });
  }

  async artifact(
    id: string,
    path: string,
    signal?: AbortSignal
  ): Promise<Blob> {
    const url = join('runs', id, 'artifacts', 'content');
    return (await this.reply(url, { query: { path }, signal })).blob();
  }

  models(query: IPageQuery, signal?: AbortSignal): Promise<api.ModelPage> {
    return this.json('models', { query: { ...query }, signal });
  }

  versions(
    model: string,
    query: IPageQuery,
    signal?: AbortSignal
  ): Promise<api.VersionPage> {
    const path = join('models', model, 'versions');
    return this.json(path, { query: { ...query }, signal });
  }

  modelVersion(
    model: string,
    version: number,
    signal?: AbortSignal
  ): Promise<api.VersionDetail> {
    return this.json(join('models', model, 'versions', version), { signal });
  }

  decide(
    model: string,
    version: number,
    body: api.ApprovalRequest
  ): Promise<api.VersionRecord> {
    const path = join('models', model, 'versions', version, 'approval');
    return this.json(path, { method: 'PUT', body });
  }

  endpoints(
    query: IPageQuery,
    signal?: AbortSignal
  ): Promise<api.EndpointPage> {
    return this.json('endpoints', { query: { ...query }, signal });
  }

  deploy(body: api.DeployRequest): Promise<api.EndpointRecord> {
    return this.json('endpoints', { method: 'POST', body });
  }

  endpoint(name: string, signal?: AbortSignal): Promise<api.EndpointDetail> {
    return this.json(join('endpoints', name), { signal });
  }

  invoke(
    name: string,
    body: api.InvocationRequest
  ): Promise<api.InvocationReply> {
    const path = join('endpoints', name, 'invocations');
    return this.json(path, { method: 'POST', body });
  }

  restartEndpoint(name: string): Promise<api.EndpointRecord> {
    const path = join('endpoints', name, 'restart');
    return this.json(path, { method: 'POST', body: {} });
  }

  async deleteEndpoint(name: string): Promise<void> {
    await this.reply(join('endpoints', name), { method: 'DELETE' });
  }

  /** Call a path below `/studio/api` and read its reply; a room calls what it alone needs by this. */
  async json<T>(path: string, call: ICall = {}): Promise<T> {
    const reply = await this.reply(path, call);
    return (await reply.json()) as T;
  }

  /** Call a path below `/studio/api`; a reply that is no success is thrown as `ApiError`. */
  async reply(path: string, call: ICall = {}): Promise<Response> {
    const init: RequestInit = {
      method: call.method ?? 'GET',
      signal: call.signal ?? null
    };
    if (call.body !== undefined) {
      init.body = JSON.stringify(call.body);
    }
    let reply: Response;
    try {
      reply = await ServerConnection.makeRequest(
        this._url(path, call.query),
        init,
        this._settings
      );
    } catch (failure) {
      if (call.signal?.aborted) {
        throw failure;
      }
      throw ApiError.fromFailure(failure);
    }
    this._compareVersion(reply.headers.get('X-Atelier-Version'));
    if (!reply.ok) {
      const body = await reply.text();
      throw ApiError.fromReply(reply.status, reply.statusText, body);
    }
    return reply;
  }

  private _url(path: string, query: Query = {}): string {
    const search = new URLSearchParams();
    for (const [key, value] of Object.entries(query)) {
      for (const item of Array.isArray(value) ? value : [value]) {
        if (item !== null && item !== undefined && item !== '') {
          search.append(key, String(item));
        }
      }
    }
    const text = search.toString();
    const url = URLExt.join(this._settings.baseUrl, 'studio/api', path);
    return text ? `${url}?${text}` : url;
  }

  private _compareVersion(version: string | null): void {
    if (!version || version === this._version || this._serverVersion) {
      return;
    }
    this._serverVersion = version;
    this._staleChanged.emit(version);
  }

  private readonly _settings: ServerConnection.ISettings;
  private readonly _version: string;
  private readonly _staleChanged = new Signal<this, string>(this);
  private _serverVersion: string | null = null;
}

export namespace Client {
  export interface IOptions {
    serverSettings: ServerConnection.ISettings;

    /** The version of this front-end; given only by tests. */
    version?: string;
  }
}

/** Join path segments, each encoded. */
export function join(...segments: (string | number)[]): string {
  return segments.map(segment => encodeURIComponent(segment)).join('/');
}

/** Where a browser downloads something from. */
export function urlOf(
  path: string,
  query: { [name: string]: string } = {}
): string {
  const { baseUrl } = ServerConnection.makeSettings();
  const search = new URLSearchParams(query).toString();
  const url = URLExt.join(baseUrl, 'studio/api', path);
  return search ? `${url}?${search}` : url;
}
