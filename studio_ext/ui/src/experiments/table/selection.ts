/** The runs that are selected in the table, also those that are out of sight. */
import * as React from 'react';

import { ApiError, RunRecord, ViewSettings } from '../../api';
import type { IChecks } from '../../components';
import { useStudio } from '../../frame';
import { readRunWindow } from './calls';
import type { TableRow } from './levels';
import { scopeOf } from './settings';
import type { RunTree } from './tree';

/** Runs that are selected at most. */
export const MAX_SELECTED = 1000;
const WINDOW = 500;

export interface ISelection {
  runs: RunRecord[];
  /** What to say beside the number. */
  note: string;
  error: ApiError | null;
  checks: IChecks<TableRow>;
  clear(): void;
}

export function useSelection(
  experiment: string | null,
  settings: ViewSettings,
  tree: RunTree | null,
  columns: string[]
): ISelection {
  const { client, trans } = useStudio();
  const [chosen, setChosen] = React.useState(new Map<string, RunRecord>());
  const [note, setNote] = React.useState('');
  const [error, setError] = React.useState<ApiError | null>(null);
  const scope = scopeOf(settings, experiment);
  const key = JSON.stringify(scope);
  const clear = () => {
    setChosen(new Map());
    setNote('');
  };
  React.useEffect(clear, [key]);

  const take = (runs: RunRecord[], isAdded: boolean) => {
    const next = new Map(chosen);
    for (const run of runs) {
      if (!isAdded) {
        next.delete(run.id);
      } else if (next.size < MAX_SELECTED) {
        next.set(run.id, run);
      }
    }
    setChosen(next);
    setNote(
      isAdded && next.size >= MAX_SELECTED
        ? trans.__('No more than %1 runs are selected at once.', MAX_SELECTED)
        : ''
    );
  };
  const checkAll = async () => {
    if (chosen.size > 0) {
      clear();
      return;
    }
    setError(null);
    try {
      const found: RunRecord[] = [];
      let order: string | null = null;
      let total = 0;
      for (let offset = 0; offset < MAX_SELECTED; offset += WINDOW) {
        const reply = await readRunWindow(client, {
          ...scope,
          order_by: settings.order_by ? [settings.order_by] : [],
          columns: [
            ...columns.filter(id => id.includes('.')),
            'tags.atelier.favourite'
          ],
          offset,
          limit: WINDOW,
          order
        });
        order = reply.order;
        total = reply.total;
        found.push(...reply.rows);
        if (offset + WINDOW >= total) {
          break;
        }
      }
      setChosen(new Map(found.map(run => [run.id, run])));
      setNote(
        total > found.length
          ? trans.__('The first %1 of %2 runs.', found.length, total)
          : trans.__('All runs that match.')
      );
    } catch (failure) {
      setError(
        failure instanceof ApiError ? failure : ApiError.fromFailure(failure)
      );
    }
  };
  const size = chosen.size;
  return {
    runs: React.useMemo(() => [...chosen.values()], [chosen]),
    note,
    error,
    clear,
    checks: {
      isChecked: row => (row.kind === 'run' ? chosen.has(row.id) : undefined),
      onCheck: (row, index, from) => {
        if (row.kind !== 'run') {
          return;
        }
        const isAdded = !chosen.has(row.id);
        const range =
          from === null || !tree
            ? [row.run]
            : tree.runsBetween(Math.min(from, index), Math.max(from, index));
        take(range, isAdded);
      },
      onCheckAll: () => void checkAll(),
      state:
        size === 0 ? 'none' : size >= (tree?.total.runs ?? 0) ? 'all' : 'some'
    }
  };
}
