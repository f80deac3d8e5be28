/** How a filter may go on at the caret: fields, operators, values, words between conditions. */
import type { RunField, RunFields } from '../../api';
import type { ICompletion, ICompletions } from '../../components';
import { quote } from '../columns';

const MAX_OPTIONS = 60;
const STATUSES = ['RUNNING', 'FINISHED', 'FAILED', 'KILLED', 'SCHEDULED'];
const TEXT_ATTRIBUTES = ['status', 'run_name', 'user', 'experiment', 'run_id'];
const NUMBER_ATTRIBUTES = ['start_time', 'end_time'];
const COMPARISONS = ['=', '!=', '<', '<=', '>', '>='];
const TEXT_OPERATORS = ['=', '!=', 'LIKE', 'ILIKE', 'CONTAINS', 'IN ('];
const NULL_OPERATORS = ['IS NULL', 'IS NOT NULL'];

const TOKEN =
  /\s*(?:(?<text>'(?:[^']|'')*'?|"(?:[^"]|"")*"?)|(?<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|(?<sign><=|>=|!=|<>|=|<|>|\(|\)|,)|(?<word>[A-Za-z_][\w/-]*(?:\.(?:`[^`]*`?|"[^"]*"?|[\w/.-]*))?|`[^`]*`?))/y;

type Expected = 'field' | 'operator' | 'null' | 'value' | 'list' | 'word';

interface IToken {
  kind: 'text' | 'number' | 'sign' | 'word';
  text: string;
  start: number;
}

/** What may stand at the caret; null where nothing is known. */
export function completeFilter(
  text: string,
  caret: number,
  fields: RunFields | null
): ICompletions | null {
  const tokens = tokensOf(text.slice(0, caret));
  if (tokens === null) {
    return null;
  }
  const last = tokens[tokens.length - 1];
  const isTyping =
    last !== undefined &&
    last.start + last.text.length === caret &&
    last.kind !== 'number' &&
    last.text !== '(' &&
    last.text !== ',' &&
    last.text !== ')';
  const typed = isTyping ? last.text : '';
  const { expected, field } = follow(isTyping ? tokens.slice(0, -1) : tokens);
  const options = optionsFor(expected, field, fields)
    .filter(option => matches(option.text, typed))
    .sort((a, b) => rank(a.text, typed) - rank(b.text, typed))
    .slice(0, MAX_OPTIONS);
  const isDone = options.length === 1 && options[0].text.trim() === typed;
  return isDone
    ? null
    : { start: isTyping ? last.start : caret, end: caret, options };
}

function tokensOf(text: string): IToken[] | null {
  const tokens: IToken[] = [];
  TOKEN.lastIndex = 0;
  let end = 0;
  while (text.slice(end).trim()) {
    TOKEN.lastIndex = end;
    const match = TOKEN.exec(text);
    if (!match?.groups) {
      return null;
    }
    end = TOKEN.lastIndex;
    for (const kind of ['text', 'number', 'sign', 'word'] as const) {
      const found = match.groups[kind];
      if (found !== undefined) {
        tokens.push({ kind, text: found, start: end - found.length });
      }
    }
  }
  return tokens;
}

/** What comes after some tokens, and which field it belongs to. */
function follow(tokens: IToken[]): { expected: Expected; field: string } {
  let expected: Expected = 'field';
  let field = '';
  for (const { kind, text } of tokens) {
    const word = kind === 'word' ? text.toUpperCase() : '';
    switch (expected) {
      case 'field':
        if (kind === 'word') {
          field = text;
          expected = 'operator';
        }
        break;
      case 'operator':
        if (word === 'IS') {
          expected = 'null';
        } else if (word === 'IN') {
          expected = 'list';
        } else if (word !== 'NOT') {
          expected = 'value';
        }
        break;
      case 'null':
        expected = word === 'NULL' ? 'word' : 'null';
        break;
      case 'value':
        expected = 'word';
        break;
      case 'list':
        expected = text === ')' ? 'word' : 'list';
        break;
      default:
        expected = text === ')' ? 'word' : 'field';
    }
  }
  return { expected, field };
}

function optionsFor(
  expected: Expected,
  field: string,
  fields: RunFields | null
): ICompletion[] {
  const plain = (texts: string[], detail = '') =>
    texts.map(text => ({ text: `${text} `, detail }));
  const isNumber = /^metrics?\.|^(attr\w*\.)?(start_time|end_time)/.test(field);
  switch (expected) {
    case 'field':
      return [
        ...keysOf('metrics', 'metric', fields?.metrics),
        ...keysOf('params', 'parameter', fields?.params),
        ...plain(TEXT_ATTRIBUTES, 'attribute'),
        ...plain(NUMBER_ATTRIBUTES, 'time, milliseconds since 1970'),
        ...keysOf('tags', 'tag', fields?.tags)
      ];
    case 'operator':
      return [
        ...plain(isNumber ? COMPARISONS : TEXT_OPERATORS),
        ...plain(NULL_OPERATORS)
      ];
    case 'null':
      return plain(['NULL', 'NOT NULL']);
    case 'value':
      return valuesOf(field, fields).map(text => ({
        text: `${text} `,
        detail: 'value'
      }));
    case 'list':
      return valuesOf(field, fields).map(text => ({ text, detail: 'value' }));
    default:
      return plain(['AND', 'OR']);
  }
}

function keysOf(
  entity: string,
  detail: string,
  fields: RunField[] = []
): ICompletion[] {
  return [...fields]
    .sort((a, b) => Number(a.is_system) - Number(b.is_system))
    .map(field => ({
      text: `${entity}.${quote(field.key)} `,
      detail: `${detail}, ${field.run_count}`
    }));
}

/** Values that the newest runs have, in quotes. */
function valuesOf(field: string, fields: RunFields | null): string[] {
  const [entity, ...rest] = field.split('.');
  const key = rest.join('.').replace(/^[`"]|[`"]$/g, '');
  const inQuotes = (text: string) => `'${text.replace(/'/g, "''")}'`;
  if (/^(attributes\.)?status$/.test(field)) {
    return STATUSES.map(inQuotes);
  }
  const known = /^param/.test(entity)
    ? fields?.params
    : /^tags?$/.test(entity)
      ? fields?.tags
      : undefined;
  const found = known?.find(candidate => candidate.key === key);
  return (found?.samples ?? []).map(inQuotes);
}

function matches(option: string, typed: string): boolean {
  const wanted = typed.toLowerCase().replace(/[`"']/g, '');
  return option.toLowerCase().replace(/[`"']/g, '').includes(wanted);
}

/** Options that begin with what was typed come first. */
function rank(option: string, typed: string): number {
  return option.toLowerCase().startsWith(typed.toLowerCase()) ? 0 : 1;
}
