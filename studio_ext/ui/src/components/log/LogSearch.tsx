/** A search in the whole log, which the server does: from match to match, forwards and backwards. */
import * as React from 'react';

import { useStudio } from '../../frame';
import { Button, useAction } from '../Button';
import { ErrorBar } from '../State';
import type { ILogSource } from './source';

export function LogSearch(props: {
  source: ILogSource;
  text: string;
  onText(text: string): void;
  /** Where the last match is, or the first line in sight. */
  from(): number;
  isFound: boolean;
  onFound(offset: number): void;
}): React.ReactElement {
  const { trans } = useStudio();
  const { source, text, onText, onFound } = props;
  const [status, setStatus] = React.useState('');
  const action = useAction();
  React.useEffect(() => setStatus(''), [text, source.key]);

  const look = (isBackwards: boolean) =>
    action.run(async () => {
      if (!props.isFound) {
        const { offsets, is_complete } = await source.search({ text });
        const count = offsets.length;
        setStatus(
          count === 0
            ? trans.__('No line matches.')
            : is_complete
              ? trans._n('%1 line matches.', '%1 lines match.', count)
              : trans.__('More than %1 lines match.', count)
        );
        if (count === 0) {
          return;
        }
      }
      const from = props.from();
      const one = (offset: number | undefined) =>
        source.search({
          text,
          limit: 1,
          offset,
          ...(isBackwards ? { is_backwards: 'true' } : {})
        });
      const start = isBackwards || !props.isFound ? from : from + 1;
      // At the end the search goes on at the beginning, and the other way round.
      const [offset] = [
        ...(await one(start)).offsets,
        ...(await one(undefined)).offsets
      ];
      if (offset !== undefined) {
        onFound(offset);
      }
    });
  const isDisabled = text === '' || action.isBusy;
  return (
    <form
      className="atelier-LogSearch"
      role="search"
      onSubmit={event => {
        event.preventDefault();
        if (!isDisabled) {
          void look(false);
        }
      }}
    >
      <input
        type="search"
        className="atelier-Input"
        aria-label={trans.__('Search the log')}
        placeholder={trans.__('Search the log')}
        maxLength={250}
        value={text}
        onChange={event => onText(event.target.value)}
      />
      <Button
        label={trans.__('Previous')}
        isDisabled={isDisabled}
        onClick={() => void look(true)}
      />
      <Button
        label={trans.__('Next')}
        isDisabled={isDisabled}
        onClick={() => void look(false)}
      />
      <span className="atelier-muted" role="status">
        {status}
      </span>
      <ErrorBar error={action.error} dismiss={action.dismiss} />
    </form>
  );
}
