/** The idle policy as a form holds it: minutes as typed texts, empty for never. */
import type { IdlePolicy } from '../api';

/** What is typed into the form. */
export interface IPolicyDraft {
  quiet: string;
  kernels: string;
  terminals: string;
  interval: string;
  connected: boolean;
  busy: boolean;
}

export type PolicyField = 'quiet' | 'kernels' | 'terminals' | 'interval';

/** What can be wrong with a field. */
export type PolicyProblem = 'number' | 'whole' | 'large' | 'small';

const LONGEST_MINUTES = 30 * 24 * 60;
const LONGEST_INTERVAL = 24 * 3600;

/** The form of a policy. */
export function draftOf(policy: IdlePolicy): IPolicyDraft {
  return {
    quiet: minutesOf(policy.quiet_minutes),
    kernels: minutesOf(policy.cull_idle_timeout / 60),
    terminals: minutesOf(policy.cull_inactive_timeout / 60),
    interval: String(policy.cull_interval),
    connected: policy.cull_connected,
    busy: policy.cull_busy
  };
}

/** What is wrong with the fields of a form; empty if nothing is. */
export function problemsOf(draft: IPolicyDraft): {
  [field in PolicyField]?: PolicyProblem;
} {
  const problems: { [field in PolicyField]?: PolicyProblem } = {};
  for (const field of ['quiet', 'kernels', 'terminals'] as const) {
    const minutes = numberOf(draft[field]);
    if (Number.isNaN(minutes) || minutes < 0) {
      problems[field] = 'number';
    } else if (minutes > LONGEST_MINUTES) {
      problems[field] = 'large';
    } else if (field === 'quiet' && !Number.isInteger(minutes)) {
      problems[field] = 'whole';
    }
  }
  const interval = draft.interval.trim() ? numberOf(draft.interval) : NaN;
  if (!Number.isInteger(interval)) {
    problems.interval = 'whole';
  } else if (interval < 1) {
    problems.interval = 'small';
  } else if (interval > LONGEST_INTERVAL) {
    problems.interval = 'large';
  }
  return problems;
}

/** The policy of a form without problems. */
export function policyOf(draft: IPolicyDraft): IdlePolicy {
  return {
    quiet_minutes: numberOf(draft.quiet),
    cull_idle_timeout: Math.round(numberOf(draft.kernels) * 60),
    cull_inactive_timeout: Math.round(numberOf(draft.terminals) * 60),
    cull_interval: numberOf(draft.interval),
    cull_connected: draft.connected,
    cull_busy: draft.busy
  };
}

/** Minutes as they are typed; never is empty. */
function minutesOf(minutes: number): string {
  return minutes === 0 ? '' : String(Number(minutes.toFixed(2)));
}

/** The number in a text; of an empty one 0. */
function numberOf(text: string): number {
  return Number(text.trim());
}
