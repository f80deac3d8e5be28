/** What a figure shows, as rows for a table; pure. */
import type { IFigure } from './theme';

export interface IFigureTable {
  columns: string[];
  rows: unknown[][];
  /** How many rows there would be in all. */
  count: number;
}

export const MAX_TABLE_ROWS = 500;

/** A row for each point: its series, and where it lies. Traces that only decorate have no rows. */
export function figureTable(figure: IFigure): IFigureTable {
  const rows: unknown[][] = [];
  let count = 0;
  for (const item of figure.data) {
    const trace = item as { [name: string]: unknown };
    const { x, y, z } = trace;
    if (trace.hoverinfo === 'skip') {
      continue;
    }
    if (Array.isArray(z)) {
      z.forEach((cells: unknown, row) =>
        (Array.isArray(cells) ? cells : []).forEach((value: unknown, column) =>
          push([at(x, column), at(y, row), value])
        )
      );
      continue;
    }
    const length = Math.max(lengthOf(x), lengthOf(y));
    for (let index = 0; index < length; index += 1) {
      push([trace.name ?? '', at(x, index), at(y, index)]);
    }
  }
  function push(row: unknown[]): void {
    count += 1;
    if (rows.length < MAX_TABLE_ROWS) {
      rows.push(row);
    }
  }
  const hasCells = figure.data.some(trace => 'z' in trace);
  const [across, up] = [axisName(figure, 'xaxis'), axisName(figure, 'yaxis')];
  return {
    columns: hasCells ? [across, up, 'value'] : ['series', across, up],
    rows,
    count
  };
}

function at(values: unknown, index: number): unknown {
  return Array.isArray(values) ? (values as unknown[])[index] : index;
}

function lengthOf(values: unknown): number {
  return Array.isArray(values) ? values.length : 0;
}

function axisName(figure: IFigure, axis: 'xaxis' | 'yaxis'): string {
  const layout = figure.layout[axis] as
    { title?: { text?: string } } | undefined;
  return layout?.title?.text || axis[0];
}
