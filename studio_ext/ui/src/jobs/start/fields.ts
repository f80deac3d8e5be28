/** What the parts of the form share: what was typed, what is wrong with it, and how to change it. */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { SubmissionForm } from '../../api';
import type { IStartDraft, Problem } from './draft';

export interface IFields {
  draft: IStartDraft;
  form: SubmissionForm;
  change(part: Partial<IStartDraft>): void;
  /** What is wrong with a field, in words. */
  errorOf(field: string): string | undefined;
}

export function textOfProblem(
  problem: Problem,
  trans: TranslationBundle
): string {
  const texts: { [problem in Problem]: string } = {
    missing: trans.__('A value is needed.'),
    name: trans.__(
      'Letters, digits, “.”, “_” and “-”, beginning with a letter.'
    ),
    number: trans.__('A number is needed.'),
    integer: trans.__('A whole number is needed.'),
    json: trans.__('This is not JSON, such as [1, 2] or {"a": true}.'),
    duration: trans.__('A duration such as 90s, 30min or 1h 30min.'),
    size: trans.__('A size such as 512MiB or 4GiB.'),
    processors: trans.__('A whole number from 1 on, or nothing for all.'),
    tries: trans.__('A whole number from 0 to 1000.'),
    priority: trans.__('A whole number from −1000 to 1000.'),
    twice: trans.__('This name is there already.')
  };
  return texts[problem];
}
