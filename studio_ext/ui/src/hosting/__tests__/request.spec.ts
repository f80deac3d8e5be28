/** From a form to a row, and to code. */
import type { Column, EndpointRecord } from '../../api';
import {
  asCurl,
  asPython,
  fieldsOf,
  problemOf,
  rowOf,
  toPython
} from '../request';

function column(
  name: string,
  type: Column['type'],
  isNullable = false
): Column {
  return {
    name,
    type,
    nullable: isNullable,
    categories: null,
    dtype: null,
    is_ordered: false
  };
}

const COLUMNS = [
  column('age', 'long'),
  column('gain', 'double', true),
  column('job', 'string'),
  column('member', 'boolean')
];

const ENDPOINT = {
  name: 'census',
  url: 'http://127.0.0.1:9000'
} as EndpointRecord;

describe('rowOf', () => {
  it('gives every field the type of its column', () => {
    const fields = { age: '52', gain: '', job: 'Sales', member: 'true' };
    expect(rowOf(COLUMNS, fields)).toEqual({
      age: 52,
      gain: null,
      job: 'Sales',
      member: true
    });
  });

  it('gives back the sample row that filled the fields', () => {
    const row = { age: 39, gain: 0.5, job: 'Sales', member: false };
    expect(rowOf(COLUMNS, fieldsOf(COLUMNS, row))).toEqual(row);
  });
});

describe('problemOf', () => {
  it('finds what does not fit', () => {
    expect(problemOf(COLUMNS[0], '')).toBe('missing');
    expect(problemOf(COLUMNS[0], 'x')).toBe('number');
    expect(problemOf(COLUMNS[0], '1.5')).toBe('integer');
    expect(problemOf(COLUMNS[0], '15')).toBeNull();
    expect(problemOf(COLUMNS[1], '')).toBeNull();
  });
});

describe('code', () => {
  const question = { kind: 'records' as const, items: [{ job: "it's" }] };

  it('survives the quotes of a shell', () => {
    const code = asCurl(ENDPOINT, question);
    expect(code).toContain('http://127.0.0.1:9000/invocations');
    expect(code).toContain("it'\\''s");
  });

  it('is Python', () => {
    expect(toPython({ a: null, b: [true, 1] })).toBe(
      '{\n    "a": None,\n    "b": [True, 1]\n}'
    );
    expect(asPython(ENDPOINT, question)).toContain(
      'kt.hosting.get("census").predict(X)'
    );
  });
});
