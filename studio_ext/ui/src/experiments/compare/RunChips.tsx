/** The runs of a comparison: each with its colour, to open or to take away; and a way to add another. */
import * as React from 'react';

import type { RunRecord, RunsComparison } from '../../api';
import { RunChip } from '../../components';
import { useStudio } from '../../frame';
import { AddRun } from './AddRun';
import { Swatch } from './Swatch';
import { MAX_RUNS } from './address';

export function RunChips(props: {
  runs: RunRecord[];
  absent: RunsComparison['absent'];
  onChange(ids: string[]): void;
}): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const { runs, absent, onChange } = props;
  const ids = [...runs, ...absent].map(({ id }) => id);
  const without = (id: string) => onChange(ids.filter(other => other !== id));
  return (
    <div className="atelier-Compare-runs">
      <ul aria-label={trans.__('Compared runs')}>
        {runs.map((run, place) => (
          <li key={run.id} className="atelier-Compare-run">
            <Swatch place={place} />
            <button
              type="button"
              className="atelier-TextButton atelier-ellipsis"
              title={run.name}
              onClick={() => studio.open(`run/${run.id}`)}
            >
              {run.name}
            </button>
            {run.status !== 'FINISHED' && <RunChip status={run.status} />}
            <RemoveButton name={run.name} onClick={() => without(run.id)} />
          </li>
        ))}
        {absent.map(({ id, is_deleted }) => (
          <li key={id} className="atelier-Compare-run" data-absent>
            <span className="atelier-ellipsis" title={id}>
              {is_deleted
                ? trans.__('⚠ Run %1 was deleted', id)
                : trans.__('⚠ There is no run %1', id)}
            </span>
            <RemoveButton name={id} onClick={() => without(id)} />
          </li>
        ))}
      </ul>
      {ids.length < MAX_RUNS && (
        <AddRun
          experiments={[...new Set(runs.map(run => run.experiment))]}
          present={ids}
          onAdd={id => onChange([...ids, id])}
        />
      )}
    </div>
  );
}

function RemoveButton(props: {
  name: string;
  onClick(): void;
}): React.ReactElement {
  const { trans } = useStudio();
  return (
    <button
      type="button"
      className="atelier-IconButton"
      aria-label={trans.__('Remove %1 from the comparison', props.name)}
      title={trans.__('Remove from the comparison')}
      onClick={props.onClick}
    >
      ×
    </button>
  );
}
