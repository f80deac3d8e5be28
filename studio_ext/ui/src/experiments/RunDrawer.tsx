/** The selected run beside the table: enough to know whether to open it. */
import * as React from 'react';

import type { RunRecord } from '../api';
import {
  Button,
  FactTable,
  RunChip,
  Time,
  durationOf,
  metricFacts,
  textFacts
} from '../components';
import { useStudio } from '../frame';

export function RunDrawer(props: {
  run: RunRecord;
  onClose(): void;
}): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const { run } = props;
  return (
    <aside className="atelier-Drawer" aria-label={trans.__('Run details')}>
      <div className="atelier-Header-line">
        <h2 className="atelier-ellipsis" title={run.name}>
          {run.name}
        </h2>
        <button
          type="button"
          className="atelier-IconButton"
          aria-label={trans.__('Close details')}
          onClick={props.onClose}
        >
          ×
        </button>
      </div>
      <div className="atelier-Facts">
        <RunChip status={run.status} />
        <Time value={run.started_at} />
        <span>{durationOf(run.started_at, run.ended_at)}</span>
        <span>{run.user}</span>
      </div>
      <Button
        kind="primary"
        label={trans.__('Open run')}
        onClick={() => studio.open(`run/${run.id}`)}
      />
      <FactTable
        caption={trans.__('Metrics')}
        facts={metricFacts(run.metrics)}
        empty={trans.__('No metrics were logged.')}
      />
      <FactTable
        caption={trans.__('Parameters')}
        facts={textFacts(run.params)}
        empty={trans.__('No parameters were logged.')}
      />
      <FactTable
        caption={trans.__('Tags')}
        facts={textFacts(run.tags)}
        empty={trans.__('No tags.')}
      />
    </aside>
  );
}
