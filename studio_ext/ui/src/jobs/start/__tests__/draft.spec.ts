import type { EntryParameter, SubmissionForm } from '../../../api';
import { asPython, literal } from '../code';
import { looseValue, newDraft, problemsOf, requestOf, valueOf } from '../draft';

const parameter = (
  name: string,
  type: string,
  value: unknown,
  more: Partial<EntryParameter> = {}
): EntryParameter => ({
  name,
  type,
  default: value,
  comment: '',
  choices: [],
  is_required: false,
  ...more
});

const FORM: SubmissionForm = {
  path: 'work/train.py',
  kind: 'script',
  suggested_name: 'train',
  parameters: [
    parameter('depth', 'int', 6),
    parameter('rate', 'float', 0.1),
    parameter('columns', 'json', ['a']),
    parameter('token', 'str', null, { is_required: true })
  ],
  left_out: [],
  has_parameters_cell: false,
  experiments: [],
  cpus: 2,
  memory: 8e9,
  time_zone: 'Europe/Berlin'
};
const DRAFT = { ...newDraft(FORM), params: { token: 'x' } };

describe('the request', () => {
  it('holds only parameters that were changed', () => {
    expect(requestOf(DRAFT, FORM).params).toEqual({ token: 'x' });
    const params = { token: 'x', depth: '7', rate: '0.1', columns: '["b"]' };
    expect(requestOf({ ...DRAFT, params }, FORM).params).toEqual({
      token: 'x',
      depth: 7,
      columns: ['b']
    });
  });

  it('takes further parameters and inputs', () => {
    const request = requestOf(
      {
        ...DRAFT,
        further: [
          { name: 'n', value: '3' },
          { name: 'text', value: 'three' }
        ],
        inputs: [{ name: 'train', value: ' data/rows.csv ' }]
      },
      FORM
    );
    expect(request.params).toMatchObject({ n: 3, text: 'three' });
    expect(request.inputs).toEqual({ train: 'data/rows.csv' });
  });

  it('has a name or a schedule', () => {
    const named = { ...DRAFT, name: 'mine' };
    expect(requestOf(named, FORM)).toMatchObject({
      name: 'mine',
      schedule: null
    });
    expect(requestOf({ ...named, when: 'every' }, FORM)).toMatchObject({
      name: null,
      schedule: { name: 'train', cron: null, every: '6h', missed: 'once' }
    });
  });
});

describe('problems', () => {
  it('are none at first, but for what is required', () => {
    expect(problemsOf(DRAFT, FORM.parameters)).toEqual({});
    expect(problemsOf(newDraft(FORM), FORM.parameters)).toEqual({
      'params.token': 'missing'
    });
  });

  it.each([
    [{ params: { token: 'x', depth: '1.5' } }, 'params.depth', 'integer'],
    [{ params: { token: 'x', rate: 'fast' } }, 'params.rate', 'number'],
    [{ params: { token: 'x', columns: '[' } }, 'params.columns', 'json'],
    [{ further: [{ name: '--x', value: '' }] }, 'further.0', 'name'],
    [{ further: [{ name: 'depth', value: '' }] }, 'further.0', 'twice'],
    [{ inputs: [{ name: 'train', value: ' ' }] }, 'inputs.0', 'missing'],
    [{ name: '../up' }, 'name', 'name'],
    [{ cpus: '0' }, 'cpus', 'processors'],
    [{ memory: 'lots' }, 'memory', 'size'],
    [{ maxRuntime: '5' }, 'max_runtime', 'duration'],
    [{ isSpot: true, maxWait: 'x' }, 'max_wait', 'duration'],
    [{ priority: '2000' }, 'priority', 'priority'],
    [{ when: 'cron' as const, cron: ' ' }, 'cron', 'missing'],
    [{ when: 'every' as const, every: '6' }, 'every', 'duration'],
    [{ when: 'cron' as const, scheduleName: '' }, 'schedule_name', 'name']
  ])('%j is at %s', (change, field, problem) => {
    expect(problemsOf({ ...DRAFT, ...change }, FORM.parameters)).toEqual({
      [field]: problem
    });
  });

  it('a duration may have several parts', () => {
    const draft = { ...DRAFT, maxRuntime: '1h 30min' };
    expect(problemsOf(draft, FORM.parameters)).toEqual({});
  });
});

it('texts become values of their type', () => {
  expect(valueOf('true', 'bool')).toEqual({ value: true });
  expect(valueOf(' 3 ', 'int')).toEqual({ value: 3 });
  expect(valueOf(' a ', 'str')).toEqual({ value: ' a ' });
  expect(looseValue('{"a": 1}')).toEqual({ a: 1 });
  expect(looseValue('hist')).toBe('hist');
});

it('the code says the same', () => {
  const request = requestOf(
    { ...DRAFT, when: 'cron', cpus: '2', isSpot: true },
    FORM
  );
  expect(asPython(request)).toBe(`import kernel_tools as kt

schedule = kt.jobs.create_schedule(
    "train",
    "work/train.py",
    params={"token": "x"},
    resources=kt.jobs.Resources(cpus=2),
    spot=kt.jobs.Spot(),
    cron="0 3 * * *",
    time_zone="Europe/Berlin",
    missed="once",
    overlap="allow",
)`);
  expect(literal({ a: [true, null] })).toBe('{"a": [True, None]}');
});
