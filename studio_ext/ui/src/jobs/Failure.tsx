/** Why a job failed: the line of user code, and what it printed last. */
import * as React from 'react';

import type { JobFailure } from '../api';
import { useStudio } from '../frame';
import { plainText } from '../components/log';

export function Failure(props: {
  failure: JobFailure;
  reason: string;
  /** Whether the job has ended with it, and was not started again. */
  isEnd: boolean;
}): React.ReactElement {
  const { trans } = useStudio();
  const { failure, reason } = props;
  const { error, message, file, line, code, last_output } = failure;
  const name = file?.split('/').pop();
  return (
    <section
      className="atelier-Failure"
      role={props.isEnd ? 'alert' : 'status'}
      aria-label={trans.__('Why it failed')}
    >
      <h2>{message ? `${error}: ${message.split('\n')[0]}` : reason}</h2>
      {name && line !== null && (
        <>
          <p title={file ?? undefined}>
            {failure.function && failure.function !== '<module>'
              ? trans.__('%1, line %2, in %3', name, line, failure.function)
              : trans.__('%1, line %2', name, line)}
          </p>
          {code && (
            <pre tabIndex={0} aria-label={trans.__('Line of code')}>
              <span className="atelier-muted">
                {String(line).padStart(4)}
                {'  '}
              </span>
              {code}
            </pre>
          )}
        </>
      )}
      {failure.exit_code !== null && !name && (
        <p>{trans.__('Exit code %1', failure.exit_code)}</p>
      )}
      {last_output && (
        <details>
          <summary>{trans.__('What it printed last')}</summary>
          <pre tabIndex={0} aria-label={trans.__('What it printed last')}>
            {last_output.split('\n').map(plainText).join('\n')}
          </pre>
        </details>
      )}
    </section>
  );
}
