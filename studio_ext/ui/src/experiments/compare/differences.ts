/** What a table of differences says beyond the values: the best one, deltas, and which rows a text finds; pure. */
import type { ComparedRow, MetricValue } from '../../api';
import { formatNumber, toNumber } from '../../components';

type Value = ComparedRow['values'][number];

const LOWER_IS_BETTER =
  /(^|[/_.-])(loss|logloss|error|err|mae|mse|rmse|mape|perplexity|wer)($|[/_.@-])|loss$|error$/;

/** The columns with the best value of a metric; none if all are alike, or only one has it. */
export function bestColumns(row: ComparedRow): Set<number> {
  const numbers = row.values.map(value =>
    value === null ? NaN : toNumber(value as MetricValue)
  );
  const known = numbers.filter(value => !Number.isNaN(value));
  if (row.part !== 'metrics' || new Set(known).size < 2) {
    return new Set();
  }
  const isLow = LOWER_IS_BETTER.test(row.name.toLowerCase());
  const best = isLow ? Math.min(...known) : Math.max(...known);
  return new Set(
    numbers.flatMap((value, column) => (value === best ? [column] : []))
  );
}

/** How far a metric is from that of the baseline, such as `+0.01200`; empty where that says nothing. */
export function deltaOf(value: Value, baseline: Value): string {
  if (value === null || baseline === null) {
    return '';
  }
  const delta =
    toNumber(value as MetricValue) - toNumber(baseline as MetricValue);
  if (!Number.isFinite(delta)) {
    return '';
  }
  return delta > 0 ? `+${formatNumber(delta)}` : formatNumber(delta);
}

/** The rows whose name or one of whose values has the text in it. */
export function filterRows(rows: ComparedRow[], text: string): ComparedRow[] {
  const wanted = text.trim().toLowerCase();
  return wanted
    ? rows.filter(row =>
        [row.name, ...row.values].some(part =>
          String(part ?? '')
            .toLowerCase()
            .includes(wanted)
        )
      )
    : rows;
}

export interface IDiffLine {
  sign: '+' | '-' | ' ' | '@';
  text: string;
  before: number | null;
  after: number | null;
}

/** The lines of a unified difference with their numbers; the two lines with the names are left out. */
export function numberLines(lines: string[]): IDiffLine[] {
  const result: IDiffLine[] = [];
  let [before, after] = [0, 0];
  for (const line of lines.slice(2)) {
    const place = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(line);
    if (place) {
      before = Number(place[1]);
      after = Number(place[2]);
      result.push({ sign: '@', text: line, before: null, after: null });
      continue;
    }
    const sign = line[0] === '+' || line[0] === '-' ? line[0] : ' ';
    result.push({
      sign,
      text: line.slice(1),
      before: sign === '+' ? null : before,
      after: sign === '-' ? null : after
    });
    before += sign === '+' ? 0 : 1;
    after += sign === '-' ? 0 : 1;
  }
  return result;
}
