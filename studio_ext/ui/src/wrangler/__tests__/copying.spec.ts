import { tableFromArrays, tableToIPC } from 'apache-arrow';

import { cellCount, readSelection, within } from '../grid/copying';
import type { IGridSource } from '../grid/model';

const ROWS = 4500;
const asked: [number, number, string[]][] = [];

const source: IGridSource = {
  rowCount: ROWS,
  columns: [
    { name: 'number', type: 'float64', kind: 'number' },
    { name: 'a\tb', type: 'string', kind: 'string' }
  ],
  window: (start, count, names) => {
    asked.push([start, count, names]);
    const rows = Array.from({ length: count }, (_, place) => start + place);
    const all: { [name: string]: unknown[] } = {
      number: rows.map(row => (row === 1 ? null : row + 1 / 3)),
      'a\tb': rows.map(row => (row === 0 ? 'x"\ny' : `${'z'.repeat(200)}…`))
    };
    const wanted = Object.fromEntries(names.map(name => [name, all[name]]));
    return Promise.resolve(
      tableToIPC(tableFromArrays(wanted as { [name: string]: string[] }))
    );
  }
};
const signal = new AbortController().signal;

describe('a selection', () => {
  it('is copied with all its rows, those too that were never in sight', async () => {
    const all = within(source, { r1: 9e9, c1: 0, r2: 0, c2: 0 });
    expect(cellCount(all)).toBe(ROWS);
    const { text, rows } = await readSelection(source, all, signal);
    const lines = text.split('\n');
    expect(rows).toBe(ROWS);
    expect(lines.length).toBe(ROWS + 1);
    expect(lines.filter(line => line === '')).toHaveLength(1);
    expect(lines[ROWS]).toBe(String(ROWS - 1 + 1 / 3));
    expect(asked.map(([start, count]) => [start, count])).toEqual([
      [0, 2000],
      [2000, 2000],
      [4000, 500]
    ]);
  });

  it('keeps tabs and lines within their cells, and counts what is cut', async () => {
    const cells = { r1: 0, c1: 0, r2: 1, c2: 1 };
    const { text, cut } = await readSelection(source, cells, signal);
    expect(text.startsWith('number\t"a\tb"\n')).toBe(true);
    expect(text).toContain('0.3333333333333333\t"x""\ny"\n');
    expect(cut).toBe(1);
  });
});
