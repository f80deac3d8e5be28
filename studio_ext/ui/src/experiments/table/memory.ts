/** How a table was left: kept per experiment from one session to the next, in JupyterLab's own store. */
import { IStateDB } from '@jupyterlab/statedb';
import { ReadonlyPartialJSONValue } from '@lumino/coreutils';
import * as React from 'react';

import type { ViewSettings } from '../../api';
import { useStudio } from '../../frame';
import { listViews } from './calls';
import { USUAL, readSettings } from './settings';

export interface ITableMemory {
  load(experiment: string | null): Promise<ViewSettings | null>;
  save(experiment: string | null, settings: ViewSettings): void;
}

/** Milliseconds without a change before one is kept. */
const SAVE_PAUSE = 400;

export function rememberIn(state: IStateDB): ITableMemory {
  let timer = 0;
  const keyOf = (experiment: string | null) =>
    `jupyter-atelier:runs-table:${experiment ?? ''}`;
  return {
    load: async experiment => {
      const found = await state.fetch(keyOf(experiment));
      return found === undefined ? null : readSettings(found);
    },
    save: (experiment, settings) => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => {
        const value = settings as unknown as ReadonlyPartialJSONValue;
        void state.save(keyOf(experiment), value);
      }, SAVE_PAUSE);
    }
  };
}

/** The settings as they were left, else those of the default view, else the usual; null until that is known. */
export function useSettings(
  experiment: string | null,
  memory: ITableMemory | null
): [ViewSettings | null, (change: Partial<ViewSettings>) => void] {
  const { client } = useStudio();
  const [settings, setSettings] = React.useState<ViewSettings | null>(null);
  React.useEffect(() => {
    const controller = new AbortController();
    const begin = async (): Promise<ViewSettings> => {
      const views = listViews(client, experiment, controller.signal);
      views.catch(() => undefined); // told by the menu of views
      const left = await memory?.load(experiment);
      return (
        left ?? (await views).find(view => view.is_default)?.settings ?? USUAL
      );
    };
    begin()
      .catch(() => USUAL) // the table itself tells what is wrong
      .then(found => {
        if (!controller.signal.aborted) {
          setSettings(found);
        }
      });
    return () => controller.abort();
  }, [client, experiment, memory]);
  const change = React.useCallback(
    (part: Partial<ViewSettings>) =>
      setSettings(old => {
        const next = { ...(old ?? USUAL), ...part };
        memory?.save(experiment, next);
        return next;
      }),
    [experiment, memory]
  );
  return [settings, change];
}
