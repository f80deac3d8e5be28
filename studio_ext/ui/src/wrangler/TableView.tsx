/** The rows after a step: those of the first look at once, all of them when they are computed. */
import * as React from 'react';

import { ApiError } from '../api';
import type * as api from '../api/types';
import { Button, ErrorState, formatCount, LoadingState } from '../components';
import { useStudio } from '../frame/context';
import { Progress, runTask } from './calls';
import { sessionBackend } from './sessionBackend';
import type { ILayout } from './grid/layout';
import { RecipeGrid } from './RecipeGrid';

export interface ITableViewProps {
  session: string;
  part: api.PartReport;
  /** Changes when the recipe was computed anew. */
  version: number;
  /** What a step that is being edited would change. */
  preview: api.CompareReply | null;
  /** Of the grid, for all steps alike. */
  layout: ILayout;
  onLayout(layout: ILayout): void;
  /** What the part is called that keeps this one waiting. */
  blocker?: string;
  onFilter?(condition: string): void;
  onMend?(id: string): void;
  onGo?(id: string): void;
}

interface IState {
  key: string;
  view: api.ViewReply | null;
  error: ApiError | null;
  progress: Progress | null;
}

export function TableView(props: ITableViewProps): React.ReactElement {
  const { client, trans } = useStudio();
  const { session, part, version, preview } = props;
  const key = `${session} ${part.id} ${version}`;
  const [state, setState] = React.useState<IState>({
    key: '',
    view: null,
    error: null,
    progress: null
  });
  const backend = React.useMemo(
    () => sessionBackend(client, session),
    [client, session]
  );
  const stop = React.useRef<AbortController | null>(null);
  const isPreviewed = preview?.after !== null && preview !== null;

  React.useEffect(() => {
    if (isPreviewed || part.error || part.blocked_by) {
      return;
    }
    const abort = (stop.current = new AbortController());
    const look = (is_whole: boolean) =>
      runTask<api.ViewReply>(
        client,
        session,
        'views',
        { node: part.id, is_whole },
        {
          signal: abort.signal,
          onProgress: progress => setState(known => ({ ...known, progress }))
        }
      );
    const show = (view: api.ViewReply) => {
      if (!abort.signal.aborted) {
        setState({ key, view, error: null, progress: null });
      }
      return view;
    };
    look(false)
      .then(show)
      .then(view => (view.is_whole ? view : look(true).then(show)))
      .catch((failure: unknown) => {
        if (!abort.signal.aborted) {
          setState(known => ({
            ...known,
            key,
            error: ApiError.of(failure),
            progress: null
          }));
        }
      });
    return () => abort.abort();
  }, [
    client,
    session,
    part.id,
    version,
    isPreviewed,
    part.error,
    part.blocked_by
  ]);

  if (isPreviewed && preview?.after) {
    return (
      <RecipeGrid
        key={preview.after}
        backend={backend}
        view={{ view: preview.after, rows: preview.rows_after }}
        columns={
          preview.parts.find(one => one.id === part.id)?.columns ?? part.columns
        }
        layout={props.layout}
        onLayout={props.onLayout}
        before={preview.changed === null ? null : preview.before}
        isWhole={preview.is_whole}
        note={trans.__('Preview')}
      />
    );
  }
  if (part.error) {
    return (
      <div className="atelier-State" data-state="error" role="alert">
        <h2>
          {part.kind === 'source'
            ? trans.__('This table could not be read')
            : part.family === null
              ? trans.__('This step is not known here')
              : trans.__('This step does not fit its table')}
        </h2>
        <p>{part.error}</p>
        {props.onMend && (
          <Button
            label={
              part.kind === 'source'
                ? trans.__('Change where it is read from')
                : trans.__('Change the step')
            }
            onClick={() => props.onMend?.(part.id)}
          />
        )}
      </div>
    );
  }
  if (part.blocked_by) {
    return (
      <div className="atelier-State" data-state="error" role="status">
        <h2>{trans.__('This step waits')}</h2>
        <p>
          {trans.__(
            '“%1” before it has to be mended or turned off first.',
            props.blocker ?? part.blocked_by
          )}
        </p>
        {props.onMend && (
          <Button
            label={trans.__('Go to it')}
            onClick={() => part.blocked_by && props.onGo?.(part.blocked_by)}
          />
        )}
      </div>
    );
  }
  if (!state.view || !state.key.startsWith(`${session} ${part.id} `)) {
    return state.error ? (
      <ErrorState
        title={trans.__('The rows could not be read')}
        error={state.error}
      />
    ) : (
      <LoadingState rows={12} />
    );
  }
  return (
    <>
      {state.error && (
        <div className="atelier-Field-error" role="alert">
          {state.error.message}
        </div>
      )}
      {!state.view.is_whole && !state.error && (
        <div className="atelier-TableView-progress" role="status">
          <span>
            {trans.__(
              'These are the first %1 rows. All rows are being computed …',
              formatCount(state.view.rows)
            )}
          </span>
          <Button
            label={trans.__('Stop')}
            onClick={() => stop.current?.abort()}
          />
        </div>
      )}
      <RecipeGrid
        key={state.view.view}
        backend={backend}
        view={state.view}
        columns={state.view.columns}
        layout={props.layout}
        onLayout={props.onLayout}
        before={null}
        isWhole={state.view.is_whole}
        onFilter={props.onFilter}
      />
    </>
  );
}
