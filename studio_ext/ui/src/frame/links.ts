/** Paths such as `run/<id>` name every page of Atelier; here they are read and written, nothing is opened. */

/** A path taken apart: `model/census/3` is the kind `model` and the names `census`, `3`. */
export interface ILink {
  kind: string;
  names: string[];
}

/** The query parameter of JupyterLab's address that carries a path. */
export const LINK_PARAMETER = 'atelier';

const KIND = /^[a-z][a-z-]{0,31}$/;
/** What a segment may say: an id, a number, the ids of 20 runs, or the name of an experiment, any printable text. */
const SEGMENT = /^(?!\.{1,2}(\/|$))[^\p{Cc}]{1,700}$/u;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Read a path; null if it cannot be one. */
export function parsePath(path: string): ILink | null {
  const trimmed = path.replace(/^\/+|\/+$/g, '');
  const segments: string[] = [];
  for (const segment of trimmed.split('/')) {
    try {
      segments.push(decodeURIComponent(segment));
    } catch {
      return null;
    }
  }
  const [kind, ...names] = segments;
  const isNamed = names.length <= 2 && names.every(name => SEGMENT.test(name));
  if (!KIND.test(kind) || !isNamed) {
    return null;
  }
  return { kind, names };
}

/** Write a path. */
export function formatPath(kind: string, ...names: string[]): string {
  return [kind, ...names].map(encodeURIComponent).join('/');
}

/** The path in the query part of an address (`?a=b&atelier=run/x`); null if there is none. */
export function pathOfSearch(search: string): string | null {
  return new URLSearchParams(search).get(LINK_PARAMETER) || null;
}

/** The query part of an address without its path; empty or with a leading `?`. */
export function withoutPath(search: string): string {
  const kept = search
    .replace(/^\?/, '')
    .split('&')
    .filter(part => part && part.split('=')[0] !== LINK_PARAMETER);
  return kept.length ? `?${kept.join('&')}` : '';
}

/** The address that opens a page; `labUrl` is where JupyterLab is served. */
export function linkTo(labUrl: string, path: string): string {
  const query = path.split('/').map(encodeURIComponent).join('/');
  return `${labUrl.replace(/[?#].*$/, '')}?${LINK_PARAMETER}=${query}`;
}

/** Whether a text may name a model or an endpoint. */
export function isName(text: string): boolean {
  return NAME.test(text);
}
