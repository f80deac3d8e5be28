/** What can be said of how a table is read, by its format. */
import type { ISource } from './document';

export interface IOption {
  name: string;
  label: string;
  choices?: { value: string; label: string }[];
  /** How its text is kept in the recipe; text by default. */
  kind?: 'number' | 'flag' | 'list';
}

export const FORMATS = [
  'csv',
  'tsv',
  'parquet',
  'json',
  'jsonl',
  'orc',
  'arrow',
  'excel'
];

const HEADER: IOption = {
  name: 'header',
  label: 'First row',
  kind: 'flag',
  choices: [
    { value: '', label: 'found by itself' },
    { value: 'true', label: 'names of the columns' },
    { value: 'false', label: 'data' }
  ]
};
const SKIP: IOption = {
  name: 'skip',
  label: 'Lines before the table',
  kind: 'number'
};
const TEXT: IOption[] = [
  { name: 'delimiter', label: 'Delimiter' },
  { name: 'encoding', label: 'Encoding' },
  HEADER,
  SKIP,
  {
    name: 'missing',
    label: 'Also missing (a, b, …)',
    kind: 'list'
  },
  {
    name: 'short_rows',
    label: 'Rows with too few fields',
    choices: [
      { value: '', label: 'are kept apart' },
      { value: 'fill', label: 'are filled up' }
    ]
  }
];

export const OPTIONS: { [format: string]: IOption[] } = {
  csv: TEXT,
  tsv: TEXT,
  excel: [{ name: 'sheet', label: 'Sheet' }, HEADER, SKIP]
};

const ENDINGS: { [ending: string]: string } = {
  csv: 'csv',
  txt: 'csv',
  tsv: 'tsv',
  tab: 'tsv',
  xlsx: 'excel',
  xls: 'excel',
  xlsm: 'excel',
  ods: 'excel'
};

/** The format of a source: what it says, or what the end of its name says. */
export function formatOf(source: ISource): string {
  if (source.format) {
    return source.format;
  }
  const name = (source.uri ?? '')
    .split(/[?#]/)[0]
    .toLowerCase()
    .replace(/\.(gz|zst|bz2|xz)$/, '');
  return ENDINGS[name.slice(name.lastIndexOf('.') + 1)] ?? '';
}

/** An option as a field shows it. */
export function optionText(source: ISource, name: string): string {
  const value = source.options?.[name];
  if (value === undefined || value === null) {
    return '';
  }
  return Array.isArray(value) ? value.join(',') : String(value);
}

/** Write what a field says into the options of a source; an empty text takes the option away. */
export function withOption(
  source: ISource,
  name: string,
  text: string
): ISource {
  const option = (OPTIONS[formatOf(source)] ?? []).find(
    one => one.name === name
  );
  const options = { ...source.options };
  if (text === '') {
    delete options[name];
  } else {
    options[name] = valueOf(text, option?.kind);
  }
  return { ...source, options };
}

/** Say the type of a column; an empty one leaves it to be found. */
export function withType(
  source: ISource,
  column: string,
  type: string
): ISource {
  const types = { ...(source.options?.types as object | undefined) } as {
    [name: string]: string;
  };
  if (type) {
    types[column] = type;
  } else {
    delete types[column];
  }
  const options = { ...source.options, types };
  if (Object.keys(types).length === 0) {
    delete (options as { types?: unknown }).types;
  }
  return { ...source, options };
}

function valueOf(text: string, kind: IOption['kind']): unknown {
  switch (kind) {
    case 'number':
      return Math.max(0, Math.round(Number(text)) || 0);
    case 'flag':
      return text === 'true';
    case 'list':
      return text.split(',').map(one => one.trim());
    default:
      return text;
  }
}
