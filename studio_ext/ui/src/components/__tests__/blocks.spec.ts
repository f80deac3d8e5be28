/** The grid's model: what it asks for and what it keeps. */
import { DataModel } from '@lumino/datagrid';

import { BLOCK_SIZE, BlockModel, IBlockSource, rowsSource } from '../blocks';

function makeSource(rowCount: number) {
  const asked: [number, number][] = [];
  const source: IBlockSource = {
    columns: ['n'],
    rowCount,
    fetch: async (start, end) => {
      asked.push([start, end]);
      return Array.from({ length: end - start }, (_, row) => [start + row]);
    }
  };
  return { source, asked };
}

describe('BlockModel', () => {
  it('asks once for a block that is looked at, and tells when it is there', async () => {
    const { source, asked } = makeSource(1000);
    const model = new BlockModel(source);
    const changed = new Promise<DataModel.ChangedArgs>(resolve => {
      model.changed.connect((_, args) => resolve(args));
    });
    expect(model.data('body', 450, 0)).toBe('');
    expect(model.data('body', 451, 0)).toBe('');
    expect(await changed).toMatchObject({ row: 2 * BLOCK_SIZE });
    expect(model.data('body', 450, 0)).toBe('450');
    expect(asked).toEqual([[400, 600]]);
  });

  it('names columns and rows without asking', () => {
    const { source, asked } = makeSource(10);
    const model = new BlockModel(source);
    expect(model.data('column-header', 0, 0)).toBe('n');
    expect(model.data('row-header', 4, 0)).toBe('5');
    expect(asked).toEqual([]);
  });
});

describe('rowsSource', () => {
  it('reads records and arrays', async () => {
    const source = rowsSource(['a', 'b'], [{ b: 2, a: 1 }, [3, 4]]);
    expect(await source.fetch(0, 2)).toEqual([
      [1, 2],
      [3, 4]
    ]);
  });
});
