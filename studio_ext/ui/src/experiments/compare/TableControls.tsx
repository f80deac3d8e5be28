/** What is above a table of values side by side: a filter, and whether equal rows are shown. */
import * as React from 'react';

import { useStudio } from '../../frame';

export function TableControls(props: {
  text: string;
  onText(text: string): void;
  isOnlyDifferent: boolean;
  onOnlyDifferent(isOnly: boolean): void;
  summary: string;
  children?: React.ReactNode;
}): React.ReactElement {
  const { trans } = useStudio();
  return (
    <div className="atelier-Compare-controls">
      <input
        type="search"
        aria-label={trans.__('Filter rows')}
        placeholder={trans.__('Filter by name or value')}
        value={props.text}
        onChange={event => props.onText(event.target.value)}
      />
      <label className="atelier-Check">
        <input
          type="checkbox"
          checked={props.isOnlyDifferent}
          onChange={event => props.onOnlyDifferent(event.target.checked)}
        />
        {trans.__('Only differences')}
      </label>
      {props.children}
      <span className="atelier-muted" role="status">
        {props.summary}
      </span>
    </div>
  );
}
