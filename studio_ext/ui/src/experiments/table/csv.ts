/** Runs as CSV (RFC 4180), the columns as the table has them, numbers with all digits. */
import type { RunRecord } from '../../api';
import { formatExact } from '../../components';

export function toCsv(runs: RunRecord[], columns: string[]): string {
  const head = ['run_id', ...columns];
  const rows = runs.map(run => [
    run.id,
    ...columns.map(column => cellOf(run, column))
  ]);
  return [head, ...rows]
    .map(cells => cells.map(escape).join(','))
    .join('\r\n')
    .concat('\r\n');
}

function cellOf(run: RunRecord, column: string): string {
  const [entity] = column.split('.', 1);
  const key = column.slice(entity.length + 1);
  switch (entity) {
    case 'metrics': {
      const value = run.metrics[key];
      return value === undefined ? '' : formatExact(value);
    }
    case 'params':
      return run.params[key] ?? '';
    case 'tags':
      return run.tags[key] ?? '';
    case 'started_at':
      return new Date(run.started_at).toISOString();
    case 'duration':
      return run.ended_at === null
        ? ''
        : String((run.ended_at - run.started_at) / 1000);
    case 'status':
    case 'experiment':
    case 'user':
    case 'name':
      return run[entity];
    default:
      return '';
  }
}

/** In quotes where need be; what a spreadsheet would take for a formula begins with an apostrophe. */
function escape(cell: string): string {
  const isFormula = /^[=+@\t\r]|^-(?![\d.∞])/.test(cell);
  const text = isFormula ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}
