/** Says which runs recorded nothing of what is compared. */
import * as React from 'react';

import type { RunRecord } from '../../api';
import { useStudio } from '../../frame';

export function Uncaptured(props: {
  runs: RunRecord[];
  ids: string[];
  what: string;
}): React.ReactElement | null {
  const { trans } = useStudio();
  const names = props.runs
    .filter(run => props.ids.includes(run.id))
    .map(run => run.name);
  if (names.length === 0) {
    return null;
  }
  return (
    <p className="atelier-Reason">
      {trans.__(
        'Without a recorded %1: %2. Runs started by another tool, or with ATELIER_CAPTURE_SOURCE=0, record none.',
        props.what,
        names.join(', ')
      )}
    </p>
  );
}
