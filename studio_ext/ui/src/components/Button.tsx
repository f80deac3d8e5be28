/** Real buttons, and the state of the work that a button starts. */
import * as React from 'react';

import { ApiError } from '../api';
import { useStudio } from '../frame/context';

export interface IButtonProps {
  label: string;
  onClick: () => void;
  kind?: 'primary' | 'plain' | 'danger';
  isDisabled?: boolean;
  isBusy?: boolean;
  title?: string;
  description?: string;
}

export function Button(props: IButtonProps): React.ReactElement {
  return (
    <button
      type="button"
      className="atelier-Button"
      data-kind={props.kind ?? 'plain'}
      disabled={props.isDisabled || props.isBusy}
      aria-busy={props.isBusy || undefined}
      aria-label={props.description}
      title={props.title}
      onClick={props.onClick}
    >
      {props.label}
    </button>
  );
}

/** Work that the user started: whether it goes on, and why it failed. */
export interface IAction {
  isBusy: boolean;
  error: ApiError | null;
  /** Do it; when it succeeds every view in sight asks the server again. */
  run(work: () => Promise<unknown>): Promise<boolean>;
  dismiss(): void;
}

export function useAction(): IAction {
  const studio = useStudio();
  const [isBusy, setBusy] = React.useState(false);
  const [error, setError] = React.useState<ApiError | null>(null);
  const run = React.useCallback(
    async (work: () => Promise<unknown>) => {
      setBusy(true);
      setError(null);
      try {
        await work();
        return true;
      } catch (failure) {
        setError(
          failure instanceof ApiError ? failure : ApiError.fromFailure(failure)
        );
        return false;
      } finally {
        setBusy(false);
        studio.announceChange();
      }
    },
    [studio]
  );
  return { isBusy, error, run, dismiss: () => setError(null) };
}
