/** Parameters, metrics and tags side by side, or only what differs of them. */
import * as React from 'react';

import type { ComparedRow, RunRecord } from '../../api';
import { EmptyState } from '../../components';
import { useStudio } from '../../frame';
import { RowsTable } from './RowsTable';
import { TableControls } from './TableControls';
import { filterRows } from './differences';

export function Differences(props: {
  runs: RunRecord[];
  rows: ComparedRow[];
  rowCount: number;
}): React.ReactElement {
  const { trans } = useStudio();
  const { runs, rows } = props;
  const [text, setText] = React.useState('');
  const [isOnlyDifferent, setOnlyDifferent] = React.useState(true);
  const [baselineId, setBaselineId] = React.useState('');
  const found = runs.findIndex(run => run.id === baselineId);
  const kept = rows.filter(row => row.is_different || !isOnlyDifferent);
  const shown = filterRows(kept, text);
  return (
    <div className="atelier-Compare-part-body">
      <TableControls
        text={text}
        onText={setText}
        isOnlyDifferent={isOnlyDifferent}
        onOnlyDifferent={setOnlyDifferent}
        summary={trans.__('%1 of %2 rows', shown.length, props.rowCount)}
      >
        <label>
          {trans.__('Baseline')}{' '}
          <select
            value={found >= 0 ? baselineId : ''}
            onChange={event => setBaselineId(event.target.value)}
          >
            <option value="">{trans.__('None')}</option>
            {runs.map(run => (
              <option key={run.id} value={run.id}>
                {run.name}
              </option>
            ))}
          </select>
        </label>
      </TableControls>
      {shown.length > 0 ? (
        <RowsTable
          label={trans.__('Differences')}
          runs={runs}
          rows={shown}
          baseline={found >= 0 ? found : null}
          partLabels={{
            run: trans.__('Run'),
            params: trans.__('Parameters'),
            metrics: trans.__('Metrics'),
            tags: trans.__('Tags')
          }}
        />
      ) : (
        <EmptyState
          title={
            text ? trans.__('Nothing matches') : trans.__('No differences')
          }
          text={
            text
              ? trans.__('No name and no value has “%1” in it.', text)
              : trans.__(
                  'These runs have the same parameters, metrics and tags.'
                )
          }
        />
      )}
    </div>
  );
}
