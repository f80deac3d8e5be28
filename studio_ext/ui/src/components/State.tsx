/** What a view shows instead of its content: nothing yet, loading, failed, out of date. */
import * as React from 'react';

import type { ApiError } from '../api';
import { useStudio } from '../frame/context';
import type { IResource } from '../frame/resource';
import { Button } from './Button';
import { CodeBlock } from './CodeBlock';

/** Milliseconds before a skeleton shows, so that quick answers do not flicker. */
const SKELETON_DELAY = 200;

export interface IEmptyProps {
  title: string;
  text: string;
  code?: string;
  action?: { label: string; onClick: () => void };
}

/** Nothing here yet: one sentence, the code to paste, a button that does it. */
export function EmptyState(props: IEmptyProps): React.ReactElement {
  return (
    <div className="atelier-State" data-state="empty">
      <h2>{props.title}</h2>
      <p>{props.text}</p>
      {props.code && <CodeBlock code={props.code} />}
      {props.action && (
        <Button
          kind="primary"
          label={props.action.label}
          onClick={props.action.onClick}
        />
      )}
    </div>
  );
}

/** Grey lines where the content will be; nothing in the first moments. */
export function LoadingState(props: { rows?: number }): React.ReactElement {
  const { trans } = useStudio();
  const [isSlow, setSlow] = React.useState(false);
  React.useEffect(() => {
    const timer = window.setTimeout(() => setSlow(true), SKELETON_DELAY);
    return () => window.clearTimeout(timer);
  }, []);
  return (
    <div
      className="atelier-Loading"
      data-state="loading"
      role="status"
      aria-label={trans.__('Loading')}
    >
      {isSlow &&
        Array.from({ length: props.rows ?? 8 }, (_, row) => (
          <div key={row} className="atelier-Skeleton" aria-hidden="true" />
        ))}
    </div>
  );
}

/** What failed, why, and what to do. */
export function ErrorState(props: {
  title: string;
  error: ApiError;
  retry?: () => void;
}): React.ReactElement {
  const { trans } = useStudio();
  const { error } = props;
  const details = [
    error.code,
    error.status ? `HTTP ${error.status}` : '',
    error.details
  ].filter(line => line);
  return (
    <div className="atelier-State" data-state="error" role="alert">
      <h2>{props.title}</h2>
      <p>{error.message}</p>
      {props.retry && (
        <Button
          kind="primary"
          label={trans.__('Try again')}
          onClick={props.retry}
        />
      )}
      <details>
        <summary>{trans.__('Details')}</summary>
        <pre>{details.join('\n')}</pre>
      </details>
    </div>
  );
}

/** The server was updated while this page was open. */
export function StaleState(props: { version: string }): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  return (
    <div className="atelier-State" data-state="stale" role="alert">
      <h2>{trans.__('Atelier was updated')}</h2>
      <p>
        {trans.__(
          'The server runs version %1, this page is of another one. Reload it to go on; notebooks are saved as always.',
          props.version
        )}
      </p>
      <Button
        kind="primary"
        label={trans.__('Reload')}
        onClick={() => studio.reload()}
      />
    </div>
  );
}

/** One line above content that could not be brought up to date, or above a form whose work failed. */
export function ErrorBar(props: {
  error: ApiError | null;
  prefix?: string;
  dismiss?: () => void;
}): React.ReactElement | null {
  const { trans } = useStudio();
  if (!props.error) {
    return null;
  }
  const text = [props.prefix, props.error.message].filter(part => part);
  return (
    <div className="atelier-ErrorBar" role="alert">
      <span>{text.join(' ')}</span>
      {props.dismiss && (
        <button
          type="button"
          className="atelier-IconButton"
          aria-label={trans.__('Dismiss')}
          onClick={props.dismiss}
        >
          ×
        </button>
      )}
    </div>
  );
}

/** The content of a resource, or the state that it is in instead. */
export function Loaded<T>(props: {
  resource: IResource<T>;
  failure: string;
  rows?: number;
  children: (data: T) => React.ReactElement;
}): React.ReactElement {
  const { trans } = useStudio();
  const { data, error, refresh } = props.resource;
  if (data === null) {
    return error ? (
      <ErrorState title={props.failure} error={error} retry={refresh} />
    ) : (
      <LoadingState rows={props.rows} />
    );
  }
  return (
    <>
      <ErrorBar error={error} prefix={trans.__('Not up to date:')} />
      {props.children(data)}
    </>
  );
}
