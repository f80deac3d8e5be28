/** The runs inside a run, at any depth, as a tree. */
import * as React from 'react';

import type { NestedRun, RunRecord } from '../api';
import {
  Loaded,
  RunChip,
  Time,
  durationOf,
  formatNumber,
  sortedKeys
} from '../components';
import { useResource, useStudio } from '../frame';
import { nestedRuns } from './runCalls';

const METRIC_COLUMNS = 3;

export function NestedRuns(props: { run: RunRecord }): React.ReactElement {
  const { client, trans } = useStudio();
  const { run } = props;
  const nested = useResource(`nested/${run.id}`, signal =>
    nestedRuns(client, run.id, signal)
  );
  return (
    <section className="atelier-DataTable">
      <h2>{trans.__('Runs inside it')}</h2>
      <Loaded
        resource={nested}
        failure={trans.__('The runs inside it could not be read')}
        rows={3}
      >
        {data => (
          <>
            <NestedTable rows={data.runs} />
            {!data.is_complete && (
              <p className="atelier-muted">
                {trans.__('The first %1 are shown.', data.runs.length)}
              </p>
            )}
          </>
        )}
      </Loaded>
    </section>
  );
}

function NestedTable(props: { rows: NestedRun[] }): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const { rows } = props;
  const [closed, setClosed] = React.useState<ReadonlySet<string>>(new Set());
  const metrics = sortedKeys(
    Object.assign({}, ...rows.map(({ run }) => run.metrics))
  ).slice(0, METRIC_COLUMNS);
  const toggle = (id: string) => {
    const next = new Set(closed);
    if (!next.delete(id)) {
      next.add(id);
    }
    setClosed(next);
  };
  return (
    <table aria-label={trans.__('Runs inside it')}>
      <thead>
        <tr>
          <th scope="col">{trans.__('Run')}</th>
          <th scope="col">{trans.__('Status')}</th>
          {metrics.map(key => (
            <th key={key} scope="col" className="atelier-number">
              {key}
            </th>
          ))}
          <th scope="col">{trans.__('Started')}</th>
          <th scope="col" className="atelier-number">
            {trans.__('Duration')}
          </th>
        </tr>
      </thead>
      <tbody>
        {visibleRows(rows, closed).map(({ depth, run, hasChildren }) => (
          <tr key={run.id}>
            <th scope="row" style={{ paddingLeft: (depth - 1) * 20 }}>
              {hasChildren ? (
                <button
                  type="button"
                  className="atelier-TreeToggle"
                  aria-expanded={!closed.has(run.id)}
                  aria-label={trans.__('Runs inside %1', run.name)}
                  onClick={() => toggle(run.id)}
                >
                  {closed.has(run.id) ? '▸' : '▾'}
                </button>
              ) : (
                <span className="atelier-TreeToggle" aria-hidden="true" />
              )}
              <button
                type="button"
                className="atelier-TextButton"
                onClick={() => studio.open(`run/${run.id}`)}
              >
                {run.name}
              </button>
            </th>
            <td>
              <RunChip status={run.status} />
            </td>
            {metrics.map(key => (
              <td key={key} className="atelier-number">
                {key in run.metrics ? formatNumber(run.metrics[key]) : ''}
              </td>
            ))}
            <td>
              <Time value={run.started_at} />
            </td>
            <td className="atelier-number">
              {durationOf(run.started_at, run.ended_at)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The rows that are not inside a closed one, each with whether it has rows inside it. */
export function visibleRows(
  rows: NestedRun[],
  closed: ReadonlySet<string>
): (NestedRun & { hasChildren: boolean })[] {
  const shown: (NestedRun & { hasChildren: boolean })[] = [];
  let closedDepth = Infinity;
  rows.forEach((row, index) => {
    if (row.depth > closedDepth) {
      return;
    }
    closedDepth = closed.has(row.run.id) ? row.depth : Infinity;
    const hasChildren = (rows[index + 1]?.depth ?? 0) > row.depth;
    shown.push({ ...row, hasChildren });
  });
  return shown;
}
