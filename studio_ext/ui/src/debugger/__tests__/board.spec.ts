import type { NamedFinding, RuleStatus } from '../../api';
import { makeBoard } from '../board';

function rule(
  name: string,
  state: RuleStatus['state'],
  kind = 'training'
): RuleStatus {
  return {
    rule: name,
    state,
    kind,
    reason: '',
    summary: '',
    parameters: {},
    findings: 0
  };
}

function finding(
  name: string,
  severity: NamedFinding['finding']['severity'],
  step: number
): NamedFinding {
  const message = `${name} at ${step}`;
  return {
    id: `${name}:${step}`,
    finding: {
      rule: name,
      severity,
      step,
      message,
      mode: 'TRAIN',
      tensor: '',
      value: null,
      threshold: null,
      advice: [],
      evidence: {},
      at: 0,
      last_step: step,
      count: 1
    }
  };
}

describe('makeBoard', () => {
  it('puts what goes on first, then what is worst, then what came first', () => {
    const board = makeBoard(
      [rule('Over', 'fired'), rule('A', 'firing'), rule('B', 'firing')],
      [
        finding('Over', 'error', 1),
        finding('A', 'warning', 9),
        finding('A', 'warning', 2),
        finding('B', 'error', 30)
      ],
      'training'
    );
    expect(board.findings.map(({ id }) => id)).toEqual([
      'B:30',
      'A:2',
      'A:9',
      'Over:1'
    ]);
    expect(board.findings.map(({ isFiring }) => isFiring)).toEqual([
      true,
      true,
      true,
      false
    ]);
  });

  it('shows each rule in one place, and only those of the kind', () => {
    const board = makeBoard(
      [
        rule('Quiet', 'watching'),
        rule('Idle', 'not_applicable'),
        rule('Broken', 'failed'),
        rule('Cpu', 'firing', 'profiler')
      ],
      [finding('Cpu', 'hint', 3)],
      'training'
    );
    expect(board.findings).toEqual([]);
    expect(board.watching.map(item => item.rule)).toEqual(['Quiet']);
    expect(board.idle.map(item => item.rule)).toEqual(['Idle']);
    expect(board.failed.map(item => item.rule)).toEqual(['Broken']);
  });
});
