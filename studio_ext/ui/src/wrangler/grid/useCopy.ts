/** Copying what is selected in the grid: what is copied, how far it is, why it is not. */
import * as React from 'react';

import { formatCount } from '../../components/format';
import { useStudio } from '../../frame/context';
import {
  cellCount,
  ISelection,
  MAX_COPIED,
  readSelection,
  within
} from './copying';
import type { IGridSource } from './model';

/**
 * @returns The function that copies, and a sentence on what became of the last copy.
 */
export function useCopy(
  source: IGridSource,
  onError: (reason: unknown) => void
): [(selection: ISelection) => void, string] {
  const { trans } = useStudio();
  const [note, setNote] = React.useState('');
  const running = React.useRef<AbortController | null>(null);
  React.useEffect(() => () => running.current?.abort(), []);

  const copy = async (wanted: ISelection) => {
    running.current?.abort();
    const abort = (running.current = new AbortController());
    setNote('');
    try {
      const selection = within(source, wanted);
      if (cellCount(selection) > MAX_COPIED) {
        throw new Error(
          trans.__(
            '%1 cells are too many to copy, at most %2. Select fewer, or filter the rows.',
            formatCount(cellCount(selection)),
            formatCount(MAX_COPIED)
          )
        );
      }
      setNote(trans.__('Copying …'));
      const { text, rows, columns, cut } = await readSelection(
        source,
        selection,
        abort.signal
      );
      await navigator.clipboard.writeText(text);
      const done = trans.__(
        'Copied %1 × %2 cells.',
        formatCount(rows),
        formatCount(columns)
      );
      setNote(
        cut
          ? `${done} ${trans.__('Long values are cut: %1.', formatCount(cut))}`
          : done
      );
    } catch (reason: unknown) {
      if (!abort.signal.aborted) {
        setNote('');
        onError(reason);
      }
    }
  };
  return [selection => void copy(selection), note];
}
