/** A table behind a Lumino grid, fetched block by block as it comes into sight. */
import { DataModel } from '@lumino/datagrid';

import { formatCell } from './format';

/** Where the rows come from; a server, or rows at hand. */
export interface IBlockSource {
  readonly columns: string[];
  readonly rowCount: number;
  fetch(start: number, end: number): Promise<unknown[][]>;
}

/** Rows in one request. */
export const BLOCK_SIZE = 200;

/** Blocks kept; the one used longest ago goes first. */
const MAX_BLOCKS = 50;

/** A grid model that knows the blocks that were looked at, and asks for those that are. */
export class BlockModel extends DataModel {
  constructor(source: IBlockSource) {
    super();
    this._source = source;
  }

  rowCount(region: DataModel.RowRegion): number {
    return region === 'body' ? this._source.rowCount : 1;
  }

  columnCount(region: DataModel.ColumnRegion): number {
    return region === 'body' ? this._source.columns.length : 1;
  }

  data(region: DataModel.CellRegion, row: number, column: number): string {
    switch (region) {
      case 'column-header':
        return this._source.columns[column];
      case 'row-header':
        return String(row + 1);
      case 'corner-header':
        return '';
      default:
        return this._cell(row, column);
    }
  }

  private _cell(row: number, column: number): string {
    const index = Math.floor(row / BLOCK_SIZE);
    const block = this._blocks.get(index);
    if (block) {
      this._blocks.delete(index);
      this._blocks.set(index, block);
      return formatCell(block[row - index * BLOCK_SIZE]?.[column]);
    }
    this._request(index);
    return '';
  }

  private _request(index: number): void {
    if (this._pending.has(index)) {
      return;
    }
    this._pending.add(index);
    const start = index * BLOCK_SIZE;
    const end = Math.min(this._source.rowCount, start + BLOCK_SIZE);
    this._source
      .fetch(start, end)
      .then(block => {
        this._blocks.set(index, block);
        const [oldest] = this._blocks.keys();
        if (this._blocks.size > MAX_BLOCKS) {
          this._blocks.delete(oldest);
        }
        this._pending.delete(index);
        this.emitChanged({
          type: 'cells-changed',
          region: 'body',
          row: start,
          column: 0,
          rowSpan: end - start,
          columnSpan: this._source.columns.length
        });
      })
      .catch((reason: unknown) => {
        this._pending.delete(index);
        console.error(`Rows ${start} to ${end} could not be read.`, reason);
      });
  }

  private readonly _source: IBlockSource;
  private readonly _blocks = new Map<number, unknown[][]>();
  private readonly _pending = new Set<number>();
}

/** Rows at hand as a source: records, or arrays in the order of the columns. */
export function rowsSource(columns: string[], rows: unknown[]): IBlockSource {
  return {
    columns,
    rowCount: rows.length,
    fetch: async (start, end) =>
      rows
        .slice(start, end)
        .map(row => columns.map((name, index) => cellOf(row, name, index)))
  };
}

function cellOf(row: unknown, name: string, index: number): unknown {
  if (typeof row !== 'object' || row === null) {
    return index === 0 ? row : null;
  }
  return Array.isArray(row)
    ? (row as unknown[])[index]
    : (row as { [column: string]: unknown })[name];
}
