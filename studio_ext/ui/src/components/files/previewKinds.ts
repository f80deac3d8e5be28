/** How a file is shown, by its name, type and size. */
import type { ArtifactRecord } from '../../api';

export type PreviewKind =
  | 'figure'
  | 'picture'
  | 'table'
  | 'html'
  | 'json'
  | 'markdown'
  | 'notebook'
  | 'diff'
  | 'code'
  | 'text'
  | 'audio'
  | 'video'
  | 'large'
  | 'none';

const MIB = 1024 * 1024;

/** Bytes up to which each kind is fetched and shown; a table is read by rows on the server. */
const LARGEST: { [kind in PreviewKind]: number } = {
  figure: 20 * MIB,
  picture: 20 * MIB,
  table: Infinity,
  html: 8 * MIB,
  json: 2 * MIB,
  markdown: MIB,
  notebook: 20 * MIB,
  diff: 4 * MIB,
  code: MIB / 4,
  text: 2 * MIB,
  audio: 64 * MIB,
  video: 64 * MIB,
  large: Infinity,
  none: Infinity
};

/** Languages by the end of a name, as JupyterLab's editor calls them. */
const LANGUAGES: { [suffix: string]: string } = {
  py: 'python',
  r: 'r',
  jl: 'julia',
  sql: 'sql',
  sh: 'bash',
  yaml: 'yaml',
  yml: 'yaml',
  toml: 'toml',
  xml: 'xml',
  js: 'javascript',
  ts: 'typescript',
  css: 'css',
  json: 'json'
};

type File = Pick<ArtifactRecord, 'path' | 'media_type' | 'size'>;

export function previewKind(file: File): PreviewKind {
  const kind = kindOf(file);
  if (file.size <= LARGEST[kind]) {
    return kind;
  }
  const isReadable = kind === 'code' && file.size <= LARGEST.text;
  return isReadable ? 'text' : kind === 'json' ? 'table' : 'large';
}

/** The language of a file of code; empty for none that is known. */
export function languageOf(path: string): string {
  return LANGUAGES[suffixOf(path)] ?? '';
}

function kindOf({ path, media_type: type }: File): PreviewKind {
  const suffix = suffixOf(path);
  if (path.endsWith('.plotly.json')) {
    return 'figure';
  }
  if (/^image\/(png|jpeg|gif|webp|bmp|avif|svg\+xml)$/.test(type)) {
    return 'picture';
  }
  switch (suffix) {
    case 'parquet':
    case 'csv':
    case 'tsv':
      return 'table';
    case 'ipynb':
      return 'notebook';
    case 'md':
    case 'markdown':
      return 'markdown';
    case 'html':
    case 'htm':
      return 'html';
    case 'diff':
    case 'patch':
      return 'diff';
    case 'json':
      return 'json';
  }
  if (/^(audio|video)\//.test(type)) {
    return type.startsWith('audio') ? 'audio' : 'video';
  }
  if (suffix in LANGUAGES) {
    return 'code';
  }
  const isText =
    type.startsWith('text/') ||
    /^application\/(json|yaml|x-yaml|toml|xml)$/.test(type) ||
    /^(txt|log|cfg|ini|jsonl|ndjson|mlmodel)$/.test(suffix) ||
    /(^|\/)(MLmodel|Dockerfile|Makefile)$/.test(path);
  return isText ? 'text' : 'none';
}

function suffixOf(path: string): string {
  return /\.([^./]+)$/.exec(path)?.[1].toLowerCase() ?? '';
}
