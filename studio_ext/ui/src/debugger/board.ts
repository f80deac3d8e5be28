/** The rule board in order: what fires first, then what is over, then what is quiet, what does not apply and what failed. */
import type { Finding, NamedFinding, RuleStatus } from '../api';
import type { Tone } from '../components';

export type RuleKind = 'training' | 'profiler';

/** A finding, whether it still goes on, and the rule that made it. */
export interface IBoardFinding extends NamedFinding {
  isFiring: boolean;
  rule: RuleStatus;
}

export interface IBoard {
  findings: IBoardFinding[];
  watching: RuleStatus[];
  idle: RuleStatus[];
  failed: RuleStatus[];
}

const WEIGHTS: { [severity in Finding['severity']]: number } = {
  error: 0,
  warning: 1,
  hint: 2
};

export const SEVERITY_TONES: { [severity in Finding['severity']]: Tone } = {
  error: 'bad',
  warning: 'warn',
  hint: 'plain'
};

/** Sort the rules of a kind, and what they found, the worst that goes on first. */
export function makeBoard(
  rules: RuleStatus[],
  findings: NamedFinding[],
  kind: RuleKind
): IBoard {
  const ours = rules.filter(rule => rule.kind === kind);
  const byName = new Map(ours.map(rule => [rule.rule, rule]));
  const found = findings.flatMap(item => {
    const rule = byName.get(item.finding.rule);
    return rule ? [{ ...item, rule, isFiring: rule.state === 'firing' }] : [];
  });
  found.sort(
    (one, two) =>
      Number(two.isFiring) - Number(one.isFiring) ||
      WEIGHTS[one.finding.severity] - WEIGHTS[two.finding.severity] ||
      one.finding.step - two.finding.step
  );
  const inState = (state: RuleStatus['state']) =>
    ours.filter(rule => rule.state === state);
  return {
    findings: found,
    watching: inState('watching'),
    idle: inState('not_applicable'),
    failed: inState('failed')
  };
}
