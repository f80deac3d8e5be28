/** A recipe that is open: the text of its document, the session that computes it, what is known of its steps. */
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import * as React from 'react';

import { ApiError } from '../api';
import type * as api from '../api/types';
import { useStudio } from '../frame/context';
import { closeRecipe, openRecipe, trustRecipe, updateRecipe } from './calls';
import { formatRecipe, IRecipe, parseRecipe } from './document';

/** Milliseconds of rest after an edit before the server is asked. */
const UPDATE_DELAY = 120;

export interface IOpenRecipe {
  recipe: IRecipe | null;
  session: string | null;
  parts: api.PartReport[];
  /** Counts the states that the server has answered, so that views know when to ask again. */
  version: number;
  isUpdating: boolean;
  error: ApiError | null;
  /** Steps that run code of the file, which nobody here has trusted yet. */
  untrusted: string[];
  change(recipe: IRecipe): void;
  trust(): Promise<void>;
  undo(): void;
  redo(): void;
  canUndo: boolean;
  canRedo: boolean;
  /** Ask again, after the session was used for something else. */
  refresh(): void;
}

export function useRecipe(
  context: DocumentRegistry.IContext<DocumentRegistry.ICodeModel>
): IOpenRecipe {
  const studio = useStudio();
  const { client } = studio;
  const { sharedModel } = context.model;
  const [text, setText] = React.useState(() => sharedModel.getSource());
  const [session, setSession] = React.useState<string | null>(null);
  const [parts, setParts] = React.useState<api.PartReport[]>([]);
  const [error, setError] = React.useState<ApiError | null>(null);
  const [untrusted, setUntrusted] = React.useState<string[]>([]);
  const [isUpdating, setUpdating] = React.useState(false);
  const [version, setVersion] = React.useState(0);
  const [round, setRound] = React.useState(0);
  const recipe = React.useMemo(() => parseRecipe(text), [text]);

  React.useEffect(() => {
    const read = () => setText(sharedModel.getSource());
    context.model.contentChanged.connect(read);
    read();
    return () => {
      context.model.contentChanged.disconnect(read);
    };
  }, [context, sharedModel]);

  React.useEffect(() => {
    const abort = new AbortController();
    let opened: string | null = null;
    setSession(null);
    setError(null);
    openRecipe(
      client,
      { path: context.path, content: sharedModel.getSource() },
      abort.signal
    )
      .then(reply => {
        opened = reply.session;
        if (abort.signal.aborted) {
          void closeRecipe(client, opened);
          return;
        }
        setUntrusted(reply.is_trusted ? [] : reply.code_steps);
        if (!sharedModel.getSource().trim()) {
          sharedModel.setSource(formatRecipe(reply.document as IRecipe));
          sharedModel.clearUndoHistory();
        }
        setSession(reply.session);
      })
      .catch((failure: unknown) => {
        if (!abort.signal.aborted) {
          setError(ApiError.of(failure));
        }
      });
    return () => {
      abort.abort();
      if (opened) {
        void closeRecipe(client, opened).catch(() => undefined);
      }
    };
  }, [client, context, sharedModel, round]);

  const refresh = React.useRef<() => void>(() => undefined);
  React.useEffect(() => {
    if (!session || !recipe) {
      return;
    }
    let abort = new AbortController();
    const ask = () => {
      abort.abort();
      abort = new AbortController();
      const { signal } = abort;
      setUpdating(true);
      updateRecipe(client, session, recipe, signal)
        .then(reply => {
          setParts(reply.parts);
          setError(null);
          setVersion(count => count + 1);
          setUpdating(false);
        })
        .catch((failure: unknown) => {
          if (signal.aborted) {
            return;
          }
          setUpdating(false);
          const reason = ApiError.of(failure);
          if (reason.status === 404) {
            setRound(count => count + 1);
          } else {
            setError(reason);
          }
        });
    };
    refresh.current = ask;
    const timer = window.setTimeout(ask, UPDATE_DELAY);
    return () => {
      window.clearTimeout(timer);
      abort.abort();
    };
  }, [client, session, recipe]);

  return {
    recipe,
    session,
    parts,
    version,
    isUpdating,
    error,
    untrusted,
    change: next => {
      const content = formatRecipe(next);
      if (content !== sharedModel.getSource()) {
        sharedModel.setSource(content);
      }
    },
    trust: async () => {
      if (session && recipe) {
        const reply = await trustRecipe(client, session, recipe);
        setParts(reply.parts);
        setUntrusted([]);
        setVersion(count => count + 1);
      }
    },
    undo: () => sharedModel.undo(),
    redo: () => sharedModel.redo(),
    canUndo: sharedModel.canUndo(),
    canRedo: sharedModel.canRedo(),
    refresh: () => refresh.current()
  };
}
