/** Figures as tables, and the colours of series on a dark ground. */
import { MAX_TABLE_ROWS, figureTable } from '../figureTable';
import { IFigureTheme, seriesColor, themeData } from '../theme';

const THEME = { isDark: true } as IFigureTheme;

describe('figureTable', () => {
  it('has a row for each point, and none for what decorates', () => {
    const table = figureTable({
      data: [
        { name: 'a', x: [1, 2], y: [3, null] },
        { name: 'faint', x: [1], y: [1], hoverinfo: 'skip' }
      ],
      layout: { xaxis: { title: { text: 'step' } } }
    });
    expect(table.columns).toEqual(['series', 'step', 'y']);
    expect(table.rows).toEqual([
      ['a', 1, 3],
      ['a', 2, null]
    ]);
  });

  it('reads the cells of a heat map', () => {
    const table = figureTable({
      data: [{ x: ['p', 'q'], y: ['r'], z: [[1, 2]] }],
      layout: {}
    });
    expect(table.rows).toEqual([
      ['p', 'r', 1],
      ['q', 'r', 2]
    ]);
  });

  it('says how many there are when it does not show all', () => {
    const y = Array.from({ length: 2000 }, (_, index) => index);
    const table = figureTable({ data: [{ y }], layout: {} });
    expect([table.rows.length, table.count]).toEqual([MAX_TABLE_ROWS, 2000]);
  });
});

describe('themeData', () => {
  const data = [
    { line: { color: '#0072B2', width: 2 }, marker: { color: ['#D55E00', 1] } }
  ];

  it('gives series the colours of a dark ground', () => {
    expect(themeData(data, THEME)).toEqual([
      {
        line: { color: '#56B4E9', width: 2 },
        marker: { color: ['#E69F00', 1] }
      }
    ]);
  });

  it('leaves them as they are on a light one', () => {
    expect(themeData(data, { ...THEME, isDark: false })).toEqual(data);
  });

  it('has the same colours as the runs of a comparison', () => {
    expect(seriesColor(0, true)).toBe('#56B4E9');
    expect(seriesColor(8, false)).toBe(seriesColor(19, true));
  });
});
