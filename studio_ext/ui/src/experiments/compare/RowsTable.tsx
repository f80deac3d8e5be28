/** Values of runs side by side: names stay on the left, runs on top, values that differ stand out. */
import * as React from 'react';

import type { ComparedRow, MetricValue, RunRecord } from '../../api';
import { Button, formatExact, formatNumber } from '../../components';
import { useStudio } from '../../frame';
import { Swatch } from './Swatch';
import { bestColumns, deltaOf } from './differences';

/** Rows that are drawn unasked. */
const SHOWN_ROWS = 500;

export interface IRowsTableProps {
  label: string;
  runs: RunRecord[];
  rows: ComparedRow[];
  partLabels: { [part: string]: string };
  /** The places of the runs in the comparison, which decide their colours. Default: their places here. */
  places?: number[];
  /** The column that the others are measured against. */
  baseline?: number | null;
}

export function RowsTable(props: IRowsTableProps): React.ReactElement {
  const { trans } = useStudio();
  const { runs, partLabels } = props;
  const [isWhole, setWhole] = React.useState(false);
  const rows = isWhole ? props.rows : props.rows.slice(0, SHOWN_ROWS);
  const parts = [...new Set(rows.map(row => row.part))];
  return (
    <div
      className="atelier-Compare-table"
      tabIndex={0}
      role="region"
      aria-label={props.label}
    >
      <table aria-label={props.label}>
        <thead>
          <tr>
            <td />
            {runs.map((run, place) => (
              <th key={run.id} scope="col" title={run.name}>
                <Swatch place={props.places?.[place] ?? place} />
                {run.name}
              </th>
            ))}
          </tr>
        </thead>
        {parts.map(part => (
          <tbody key={part}>
            <tr className="atelier-Compare-part">
              <th scope="rowgroup" colSpan={runs.length + 1}>
                <span>{partLabels[part] ?? part}</span>
              </th>
            </tr>
            {rows
              .filter(row => row.part === part)
              .map(row => (
                <Row
                  key={row.name}
                  row={row}
                  baseline={props.baseline ?? null}
                />
              ))}
          </tbody>
        ))}
      </table>
      {rows.length < props.rows.length && (
        <Button
          label={trans.__('Show all %1 rows', props.rows.length)}
          onClick={() => setWhole(true)}
        />
      )}
    </div>
  );
}

function Row(props: {
  row: ComparedRow;
  baseline: number | null;
}): React.ReactElement {
  const { trans } = useStudio();
  const { row, baseline } = props;
  const best = bestColumns(row);
  const isMetric = row.part === 'metrics';
  return (
    <tr data-different={row.is_different || undefined}>
      <th scope="row" title={row.name}>
        {row.name}
      </th>
      {row.values.map((value, column) => {
        const isBest = best.has(column);
        const delta =
          isMetric && baseline !== null && column !== baseline
            ? deltaOf(value, row.values[baseline])
            : '';
        return (
          <td
            key={column}
            className={isMetric ? 'atelier-Compare-number' : undefined}
            title={titleOf(value, isMetric)}
            data-best={isBest || undefined}
          >
            {textOf(value, isMetric)}
            {isBest && (
              <span className="atelier-Compare-best" title={trans.__('Best')}>
                <span aria-hidden="true"> ★</span>
                <span className="atelier-visually-hidden">
                  {' '}
                  {trans.__('(best)')}
                </span>
              </span>
            )}
            {delta && <span className="atelier-Compare-delta">{delta}</span>}
          </td>
        );
      })}
    </tr>
  );
}

function textOf(
  value: ComparedRow['values'][number],
  isMetric: boolean
): string {
  if (value === null) {
    return '—';
  }
  return isMetric ? formatNumber(value as MetricValue) : String(value);
}

function titleOf(
  value: ComparedRow['values'][number],
  isMetric: boolean
): string | undefined {
  if (value === null) {
    return undefined;
  }
  return isMetric ? formatExact(value as MetricValue) : String(value);
}
