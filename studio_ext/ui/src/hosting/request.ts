/** What a user typed into a form, as a row for a model; and the same call as code. */
import type { Column, EndpointRecord, Row } from '../api';

/** The text of a field for each column. */
export type Fields = { [column: string]: string };

/** The fields filled in from a row; empty where it has nothing. */
export function fieldsOf(columns: Column[], sample: unknown): Fields {
  const row = isRow(sample) ? sample : undefined;
  return Object.fromEntries(
    columns.map(({ name }) => {
      const value = row?.[name];
      return [name, value === null || value === undefined ? '' : String(value)];
    })
  );
}

/** Whether a value is a row: names and values. */
export function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The row that the fields say, in the types of the columns. A text that is not a number is left to the server to refuse. */
export function rowOf(columns: Column[], fields: Fields): Row {
  return Object.fromEntries(
    columns.map(column => [
      column.name,
      valueOf(column, fields[column.name] ?? '')
    ])
  );
}

function valueOf(column: Column, text: string): unknown {
  const trimmed = text.trim();
  if (trimmed === '') {
    return column.type === 'string' && !column.nullable ? text : null;
  }
  switch (column.type) {
    case 'long':
    case 'double': {
      const number = Number(trimmed);
      return Number.isNaN(number) ? text : number;
    }
    case 'boolean':
      return trimmed === 'true' || trimmed === 'True';
    default:
      return text;
  }
}

/** What is wrong with a field, before it is sent; null if nothing is. */
export function problemOf(
  column: Column,
  text: string
): 'missing' | 'number' | 'integer' | null {
  const trimmed = text.trim();
  if (trimmed === '') {
    return column.nullable || column.type === 'string' ? null : 'missing';
  }
  if (column.type === 'long' || column.type === 'double') {
    const number = Number(trimmed);
    if (Number.isNaN(number)) {
      return 'number';
    }
    return column.type === 'long' && !Number.isInteger(number)
      ? 'integer'
      : null;
  }
  return null;
}

/** What is asked of a model: rows of a table, or arrays. */
export interface IQuestion {
  kind: 'records' | 'instances';
  items: unknown[];
}

/** The call with curl. */
export function asCurl(endpoint: EndpointRecord, question: IQuestion): string {
  const key = question.kind === 'records' ? 'dataframe_records' : question.kind;
  const body = JSON.stringify({ [key]: question.items }, null, 2);
  const quoted = body.replace(/'/g, "'\\''");
  const url = `${(endpoint.url ?? '').replace(/\/$/, '')}/invocations`;
  return [
    `curl -X POST ${url} \\`,
    "  -H 'Content-Type: application/json' \\",
    `  -d '${quoted}'`
  ].join('\n');
}

/** The call with the library. */
export function asPython(
  endpoint: EndpointRecord,
  question: IQuestion
): string {
  const isTable = question.kind === 'records';
  const items = toPython(question.items);
  return [
    isTable ? 'import pandas as pd' : 'import numpy as np',
    'import kernel_tools as kt',
    '',
    isTable ? `X = pd.DataFrame(${items})` : `X = np.array(${items})`,
    `kt.hosting.get(${toPython(endpoint.name)}).predict(X)`
  ].join('\n');
}

/** A JSON value as a Python literal. */
export function toPython(value: unknown, indent = ''): string {
  const inner = `${indent}    `;
  if (value === null || value === undefined) {
    return 'None';
  }
  if (typeof value === 'boolean') {
    return value ? 'True' : 'False';
  }
  if (Array.isArray(value)) {
    const items = value.map(item => toPython(item, indent));
    return `[${items.join(', ')}]`;
  }
  if (typeof value === 'object') {
    const items = Object.entries(value).map(
      ([key, item]) =>
        `${inner}${JSON.stringify(key)}: ${toPython(item, inner)}`
    );
    return items.length ? `{\n${items.join(',\n')}\n${indent}}` : '{}';
  }
  return JSON.stringify(value);
}
