/** The rows of a list that are chosen for something to be done with all of them. */
import * as React from 'react';

import type { IChecks } from './List';

export interface IChosen<T> {
  items: T[];
  checks: IChecks<T>;
  clear(): void;
}

/** Another `key`, such as another filter, chooses none. */
export function useChecks<T>(
  items: T[],
  identify: (item: T) => string,
  key: string,
  isFit: (item: T) => boolean = () => true
): IChosen<T> {
  const [chosen, setChosen] = React.useState<ReadonlySet<string>>(new Set());
  const clear = () => setChosen(new Set());
  React.useEffect(clear, [key]);
  const fit = items.filter(isFit);
  const found = fit.filter(item => chosen.has(identify(item)));
  return {
    items: found,
    clear,
    checks: {
      isChecked: item => (isFit(item) ? chosen.has(identify(item)) : undefined),
      onCheck: (item, index, from) => {
        const next = new Set(chosen);
        const isAdded = !next.delete(identify(item));
        const [start, end] = [
          Math.min(from ?? index, index),
          Math.max(from ?? index, index)
        ];
        if (isAdded) {
          items
            .slice(start, end + 1)
            .filter(isFit)
            .forEach(other => next.add(identify(other)));
        }
        setChosen(next);
      },
      onCheckAll: () =>
        setChosen(found.length ? new Set() : new Set(fit.map(identify))),
      state:
        found.length === 0
          ? 'none'
          : found.length === fit.length
            ? 'all'
            : 'some'
    }
  };
}
