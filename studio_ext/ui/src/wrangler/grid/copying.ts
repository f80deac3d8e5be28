/** A selection of the grid as text for a spreadsheet: all of its rows, those too that were never in sight. */
import { tableFromIPC } from 'apache-arrow';

import { GridModel, IGridColumn, IGridSource } from './model';

/** Cells that are copied at most. */
export const MAX_COPIED = 500_000;

/** Rows and columns of one request, as the server allows. */
const ROWS = 2000;
const COLUMNS = 200;

/** Characters of a cell that a window shows; more are cut and end with a mark. */
const MAX_CELL = 200;

/** Rows and columns, their ends belong to it. */
export interface ISelection {
  r1: number;
  c1: number;
  r2: number;
  c2: number;
}

export interface ICopied {
  text: string;
  rows: number;
  columns: number;
  /** Values that were too long for a window. */
  cut: number;
}

/** The cells that a selection holds; ends beyond the table are those of the table. */
export function within(source: IGridSource, selection: ISelection): ISelection {
  const row = (at: number) => Math.min(Math.max(at, 0), source.rowCount - 1);
  const column = (at: number) =>
    Math.min(Math.max(at, 0), source.columns.length - 1);
  return {
    r1: row(Math.min(selection.r1, selection.r2)),
    c1: column(Math.min(selection.c1, selection.c2)),
    r2: row(Math.max(selection.r1, selection.r2)),
    c2: column(Math.max(selection.c1, selection.c2))
  };
}

export function cellCount({ r1, c1, r2, c2 }: ISelection): number {
  return (r2 - r1 + 1) * (c2 - c1 + 1);
}

/** Read a selection: values with tabs between them, the names of the columns above. */
export async function readSelection(
  source: IGridSource,
  { r1, c1, r2, c2 }: ISelection,
  signal: AbortSignal
): Promise<ICopied> {
  const columns = source.columns.slice(c1, c2 + 1);
  const lines = [columns.map(({ name }) => quoted(name)).join('\t')];
  let cut = 0;
  for (let start = r1; start <= r2; start += ROWS) {
    const count = Math.min(ROWS, r2 - start + 1);
    const rows = Array.from({ length: count }, () => [] as string[]);
    for (let first = 0; first < columns.length; first += COLUMNS) {
      const asked = columns.slice(first, first + COLUMNS);
      const names = asked.map(({ name }) => name);
      const table = tableFromIPC(
        await source.window(start, count, names, signal)
      );
      for (const column of asked) {
        const vector = table.getChild(column.name);
        rows.forEach((row, place) => {
          const value = vector?.get(place) as unknown;
          cut += isCut(value) ? 1 : 0;
          row.push(quoted(exactText(value, column)));
        });
      }
    }
    lines.push(...rows.map(row => row.join('\t')));
  }
  const text = lines.join('\n');
  return { text, rows: r2 - r1 + 1, columns: columns.length, cut };
}

function exactText(value: unknown, { kind }: IGridColumn): string {
  return typeof value === 'number' && kind === 'number'
    ? String(value)
    : typeof value === 'string'
      ? value
      : GridModel.text(value, kind);
}

function isCut(value: unknown): boolean {
  return (
    typeof value === 'string' &&
    value.endsWith('…') &&
    [...value].length > MAX_CELL
  );
}

/** A value as one cell of a spreadsheet, though it holds tabs or lines. */
function quoted(text: string): string {
  return /[\t\n\r"]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}
