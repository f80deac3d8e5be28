import { frameName, shownFrame } from '../frames';
import {
  hideColumn,
  inOrder,
  moveColumn,
  PLAIN_LAYOUT,
  showColumn,
  shownColumns
} from '../grid/layout';

const columns = ['a', 'b', 'c', 'd'].map(name => ({
  name,
  type: 'int64',
  kind: 'number'
}));
const names = (shown: { name: string }[]) =>
  shown.map(({ name }) => name).join('');

describe('the layout of columns', () => {
  it('moves past hidden ones, and no further than the ends', () => {
    let layout = hideColumn(PLAIN_LAYOUT, 'b');
    layout = moveColumn(columns, layout, 'c', -1);
    expect(names(shownColumns(columns, layout))).toBe('cad');
    expect(moveColumn(columns, layout, 'c', -1)).toBe(layout);
    layout = moveColumn(columns, layout, 'c', 9);
    expect(names(inOrder(columns, layout))).toBe('abdc');
    expect(names(shownColumns(columns, showColumn(layout, 'b')))).toBe('abdc');
  });

  it('puts columns that are new at the end', () => {
    const layout = { order: ['c', 'a'], hidden: ['gone'] };
    expect(names(shownColumns(columns, layout))).toBe('cabd');
  });
});

describe('a frame that a notebook shows', () => {
  it('is known by its table', () => {
    const html = '<div><table border="1" class="dataframe">…</table></div>';
    const output = {
      output_type: 'execute_result',
      execution_count: 7,
      data: { 'text/html': [html] }
    };
    expect(shownFrame([output])).toBe(7);
    expect(
      shownFrame([{ ...output, data: { 'text/html': '<b>x</b>' } }])
    ).toBeNull();
    expect(shownFrame([{ ...output, output_type: 'stream' }])).toBeNull();
  });

  it('gives the recipe the name of its variable', () => {
    expect(frameName('x = 1\npeople\n')).toBe('people');
    expect(frameName('people.head()')).toBe('frame');
  });
});
