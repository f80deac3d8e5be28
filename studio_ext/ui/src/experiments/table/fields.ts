/** What the runs of a table hold; asked for when the first rows are there, and again after a while. */
import * as React from 'react';

import type { RunFields } from '../../api';
import { useResource, useStudio } from '../../frame';
import { readRunFields } from './calls';

/** Milliseconds for which the keys are taken to be the same: counting them takes the server a while. */
const MAX_AGE = 60_000;

export function useFields(
  experiment: string | null,
  isWanted: boolean
): RunFields | null {
  const { client } = useStudio();
  const read = React.useRef(0);
  const fields = useResource<RunFields | null>(
    JSON.stringify(['fields', experiment, isWanted]),
    async (signal, known) => {
      if (!isWanted || (known && Date.now() - read.current < MAX_AGE)) {
        return known;
      }
      const found = await readRunFields(client, experiment, signal);
      read.current = Date.now();
      return found;
    }
  );
  return fields.data;
}
