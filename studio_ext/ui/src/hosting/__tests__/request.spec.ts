/** From a form to a row, and to code. */
import type { Column, EndpointRecord } from '../../api';
import { asCsv } from '../answers';
import {
  asBoto3,
  asCurl,
  asPython,
  fieldsOf,
  problemOf,
  readQuestion,
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

describe('readQuestion', () => {
  const rows = [{ age: 52 }, { age: 39 }];

  it.each([
    rows,
    { dataframe_records: rows },
    { dataframe_split: { columns: ['age'], data: [[52], [39]] } }
  ])('reads the rows of every form', body => {
    expect(readQuestion(JSON.stringify(body), false)).toEqual({
      kind: 'records',
      items: rows
    });
  });

  it('takes one record as a row, and arrays where the model takes them', () => {
    expect(readQuestion('{"age": 52}', false)?.items).toEqual([{ age: 52 }]);
    expect(readQuestion('{"instances": [[1, 2]]}', true)).toEqual({
      kind: 'instances',
      items: [[1, 2]]
    });
  });

  it('refuses what is no question', () => {
    for (const text of ['', '[]', '3', 'null', '[[1]]', '{"instances": [1]}']) {
      expect(readQuestion(text, false)).toBeNull();
    }
    expect(readQuestion('{"age": 52}', true)).toBeNull();
    for (const split of [{ data: 3 }, { columns: ['a'], data: [null] }]) {
      const text = JSON.stringify({ dataframe_split: split });
      expect(readQuestion(text, false)).toBeNull();
    }
  });
});

describe('asCsv', () => {
  it('quotes what has to be, and leaves out what is missing', () => {
    const reply = {
      predictions: ['a "b", c', null],
      probabilities: [
        [0.25, 0.75],
        [null, 1]
      ],
      classes: ['x', 'y'],
      latency_ms: 1
    };
    expect(asCsv(reply)).toBe(
      'prediction,probability_x,probability_y\n"a ""b"", c",0.25,0.75\n,,1\n'
    );
    expect(
      asCsv({ ...reply, probabilities: null, predictions: [[1, 2]] })
    ).toBe('prediction\n"[1,2]"\n');
  });
});

describe('code', () => {
  const question = { kind: 'records' as const, items: [{ job: "it's" }] };

  it('survives the quotes of a shell', () => {
    const code = asCurl(ENDPOINT, question);
    expect(code).toContain('http://127.0.0.1:9000/invocations');
    expect(code).toContain("it'\\''s");
  });

  it('names credentials, and never holds them', () => {
    const token = asCurl(ENDPOINT, question, { auth: 'token', isTls: true });
    expect(token).toContain('Bearer $ATELIER_TOKEN');
    expect(token).toContain('--cacert');
    const signed = asCurl(ENDPOINT, question, { auth: 'sigv4', isTls: false });
    expect(signed).toContain('--aws-sigv4');
  });

  it('is boto3', () => {
    const code = asBoto3(ENDPOINT, question);
    expect(code).toContain('"sagemaker-runtime"');
    expect(code).toContain('endpoint_url="http://127.0.0.1:9000"');
    expect(code).toContain('"dataframe_records"');
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
