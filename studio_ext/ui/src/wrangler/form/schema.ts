/** The JSON Schema of an operator's parameters, as far as forms read it. */
import type * as api from '../../api/types';

export interface ISchema {
  type?: string;
  title?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  const?: unknown;
  anyOf?: ISchema[];
  oneOf?: ISchema[];
  allOf?: ISchema[];
  items?: ISchema;
  minItems?: number;
  properties?: { [name: string]: ISchema };
  additionalProperties?: boolean | ISchema;
  required?: string[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  $ref?: string;
  $defs?: { [name: string]: ISchema };
  'x-ui'?: { widget: string; kinds?: string[] };
}

/** What a field of a form is drawn as. */
export type FieldKind =
  | 'columns'
  | 'column'
  | 'code'
  | 'choice'
  | 'check'
  | 'number'
  | 'text'
  | 'texts'
  | 'numbers'
  | 'object'
  | 'objects'
  | 'map'
  | 'scalar'
  | 'json';

const PLAIN_TYPES = new Set(['string', 'number', 'integer', 'boolean']);

/** What was typed, as a number or a truth value if it is one, else as text. */
export function readScalar(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') {
    return text === 'true';
  }
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)
    ? Number(text)
    : text;
}

/** A schema without references, and without the alternative that it may be null. */
export function resolveSchema(
  schema: ISchema,
  defs: { [name: string]: ISchema }
): { schema: ISchema; isOptional: boolean } {
  let resolved = schema;
  let isOptional = false;
  for (let depth = 0; depth < 8; depth++) {
    if (resolved.$ref) {
      const name = resolved.$ref.split('/').pop() ?? '';
      const { $ref, ...rest } = resolved;
      resolved = { ...(defs[name] ?? {}), ...rest };
      continue;
    }
    const options = resolved.anyOf ?? resolved.oneOf;
    const real = options?.filter(option => option.type !== 'null') ?? [];
    if (options && real.length < options.length) {
      isOptional = true;
    }
    if (real.length === 1) {
      const { anyOf, oneOf, ...rest } = resolved;
      resolved = { ...real[0], ...rest };
      continue;
    }
    if (resolved.allOf?.length === 1) {
      const { allOf, ...rest } = resolved;
      resolved = { ...allOf![0], ...rest };
      continue;
    }
    break;
  }
  return { schema: resolved, isOptional };
}

export function fieldKind(
  schema: ISchema,
  defs: { [name: string]: ISchema }
): FieldKind {
  switch (schema['x-ui']?.widget) {
    case 'columns':
      return 'columns';
    case 'column':
      return 'column';
    case 'formula':
    case 'code':
    case 'sql':
      return 'code';
  }
  if (schema.enum) {
    return 'choice';
  }
  const options = schema.anyOf?.filter(option => option.type !== 'null');
  if (
    options?.length &&
    options.every(({ type }) => PLAIN_TYPES.has(type ?? ''))
  ) {
    return 'scalar';
  }
  if (schema.type === 'boolean') {
    return 'check';
  }
  if (schema.type === 'integer' || schema.type === 'number') {
    return 'number';
  }
  if (schema.type === 'string') {
    return 'text';
  }
  if (schema.type === 'array') {
    const items = resolveSchema(schema.items ?? {}, defs).schema;
    if (items.type === 'string') {
      return 'texts';
    }
    if (items.type === 'number' || items.type === 'integer') {
      return 'numbers';
    }
    return items.type === 'object' && items.properties ? 'objects' : 'json';
  }
  if (schema.type === 'object') {
    if (schema.properties) {
      return 'object';
    }
    const values = schema.additionalProperties;
    const kind =
      typeof values === 'object' ? resolveSchema(values, defs).schema.type : '';
    return kind === 'string' || kind === 'number' || kind === 'integer'
      ? 'map'
      : 'json';
  }
  return 'json';
}

/** Required parameters without a value, by their names. */
export function missingOf(
  operator: api.OperatorDetail,
  params: { [name: string]: unknown }
): string[] {
  const schema = operator.parameters as ISchema;
  return (schema.required ?? []).filter(name => {
    const value = params[name];
    return (
      value === undefined ||
      value === null ||
      value === '' ||
      (Array.isArray(value) && value.length === 0)
    );
  });
}

/** What a parameter is called: its title, or its name with spaces. */
export function labelOf(name: string, schema: ISchema): string {
  const words = name.replace(/_/g, ' ');
  const title = schema.title ?? words;
  return title.charAt(0).toUpperCase() + title.slice(1).toLowerCase();
}
