import type { IdlePolicy, Resource } from '../../api';
import { formatCpu, idleFor, memoryOf } from '../idle';
import { draftOf, policyOf, problemsOf } from '../policy';

const POLICY: IdlePolicy = {
  cull_idle_timeout: 5400,
  cull_interval: 300,
  cull_connected: true,
  cull_busy: false,
  cull_inactive_timeout: 0,
  quiet_minutes: 30
};

describe('the form of a policy', () => {
  it('shows minutes, and nothing for never', () => {
    expect(draftOf(POLICY)).toEqual({
      quiet: '30',
      kernels: '90',
      terminals: '',
      interval: '300',
      connected: true,
      busy: false
    });
  });

  it('comes back as the policy', () => {
    expect(policyOf(draftOf(POLICY))).toEqual(POLICY);
    const odd = { ...POLICY, cull_idle_timeout: 100 };
    expect(policyOf(draftOf(odd))).toEqual(odd);
  });

  it.each([
    ['quiet', 'soon', 'number'],
    ['quiet', '-1', 'number'],
    ['quiet', '1.5', 'whole'],
    ['kernels', '1e9', 'large'],
    ['interval', '', 'whole'],
    ['interval', '0', 'small']
  ])('refuses %s of "%s"', (field, text, problem) => {
    const draft = { ...draftOf(POLICY), [field]: text };
    expect(problemsOf(draft)).toEqual({ [field]: problem });
  });
});

describe('idle resources', () => {
  const resource = (idle_since: number | null, memory: number | null) =>
    ({ idle_since, memory }) as Resource;
  const all = [resource(null, 5), resource(0, 7), resource(590_000, null)];

  it('are those that have been idle for long enough', () => {
    expect(idleFor(all, 0, 600_000)).toHaveLength(2);
    expect(idleFor(all, 10, 600_000)).toEqual([all[1]]);
  });

  it('have a memory', () => {
    expect(memoryOf(all)).toBe(12);
  });
});

it('processors are shares of one', () => {
  expect([null, 0, 0.004, 0.35, 2].map(formatCpu)).toEqual([
    '',
    '0.0 %',
    '0.4 %',
    '35 %',
    '200 %'
  ]);
});
