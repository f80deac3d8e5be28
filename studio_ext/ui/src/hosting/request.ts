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

/**
 * Read rows or arrays that were typed or captured, in any of the forms of a body; null if it is no question to the
 * model.
 */
export function readQuestion(text: string, isArray: boolean): IQuestion | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const items = itemsOf(value, isArray);
  if (!items || items.length === 0) {
    return null;
  }
  if (isArray) {
    return { kind: 'instances', items };
  }
  return items.every(isRow) ? { kind: 'records', items } : null;
}

function itemsOf(value: unknown, isArray: boolean): unknown[] | null {
  if (Array.isArray(value)) {
    return value;
  }
  if (!isRow(value)) {
    return null;
  }
  const names = Object.keys(value);
  if (names.length === 1) {
    const [form, body] = [names[0], value[names[0]]];
    if (ROW_FORMS.includes(form) && Array.isArray(body)) {
      return body;
    }
    if (form === 'dataframe_split' && isRow(body)) {
      return isArray ? null : recordsOf(body);
    }
  }
  return isArray ? null : [value];
}

const ROW_FORMS = ['dataframe_records', 'instances', 'inputs'];

function recordsOf({ columns, data }: Row): Row[] | null {
  return Array.isArray(columns) &&
    Array.isArray(data) &&
    data.every(Array.isArray)
    ? data.map((values: unknown[]) =>
        Object.fromEntries(
          columns.map((name, place) => [String(name), values[place]])
        )
      )
    : null;
}

/** How an endpoint lets its callers in. */
export interface IAccess {
  auth: 'none' | 'token' | 'sigv4';
  isTls: boolean;
}

/** The call with curl; credentials come from variables of the shell, never from here. */
export function asCurl(
  endpoint: EndpointRecord,
  question: IQuestion,
  access: IAccess = { auth: 'none', isTls: false }
): string {
  const body = JSON.stringify(bodyOf(question), null, 2);
  const quoted = body.replace(/'/g, "'\\''");
  const credentials = {
    none: [],
    token: ['  -H "Authorization: Bearer $ATELIER_TOKEN" \\'],
    sigv4: [
      '  --aws-sigv4 "aws:amz:us-east-1:sagemaker" \\',
      '  --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \\'
    ]
  };
  return [
    `curl -X POST ${addressOf(endpoint)}/invocations \\`,
    "  -H 'Content-Type: application/json' \\",
    ...credentials[access.auth],
    ...(access.isTls ? ['  --cacert certificate.pem \\'] : []),
    `  -d '${quoted}'`
  ].join('\n');
}

/** The call with boto3, as it is made to SageMaker. */
export function asBoto3(
  endpoint: EndpointRecord,
  question: IQuestion,
  access: IAccess = { auth: 'none', isTls: false }
): string {
  const keys =
    access.auth === 'sigv4'
      ? []
      : [
          '    aws_access_key_id="unused",',
          '    aws_secret_access_key="unused",'
        ];
  return [
    'import json',
    'import boto3',
    '',
    'client = boto3.client(',
    '    "sagemaker-runtime",',
    `    endpoint_url=${toPython(addressOf(endpoint))},`,
    '    region_name="us-east-1",',
    ...keys,
    ...(access.isTls ? ['    verify="certificate.pem",'] : []),
    ')',
    `body = ${toPython(bodyOf(question))}`,
    'reply = client.invoke_endpoint(',
    `    EndpointName=${toPython(endpoint.name)},`,
    '    ContentType="application/json",',
    '    Body=json.dumps(body),',
    ')',
    'json.load(reply["Body"])'
  ].join('\n');
}

function bodyOf({ kind, items }: IQuestion): { [form: string]: unknown[] } {
  return { [kind === 'records' ? 'dataframe_records' : kind]: items };
}

function addressOf(endpoint: EndpointRecord): string {
  return (endpoint.url ?? '').replace(/\/$/, '');
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
