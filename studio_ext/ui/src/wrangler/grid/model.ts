/** A table behind the grid: windows of Arrow that are fetched as they come into sight. */
import { DataModel } from '@lumino/datagrid';
import { tableFromIPC, Vector } from 'apache-arrow';

/** A column as the grid needs it. */
export interface IGridColumn {
  name: string;
  type: string;
  kind: string;
}

/** What is in a column, as the server's profile says it. */
export interface IProfile {
  name: string;
  kind: string;
  n: number;
  count: number;
  missing: number;
  invalid: number;
  distinct: number;
  unique: number;
  minimum: unknown;
  maximum: unknown;
  mean: number | null;
  std: number | null;
  quantiles: { [order: string]: unknown };
  histogram: { edges: unknown[]; counts: number[] } | null;
  top: { value: unknown; count: number }[];
  approximate: boolean;
}

/** Where the rows come from. */
export interface IGridSource {
  readonly columns: IGridColumn[];
  readonly rowCount: number;
  /** Rows as an Arrow stream; columns `__changed__x` say which cells of x differ from before. */
  window(
    start: number,
    count: number,
    columns: string[],
    signal: AbortSignal
  ): Promise<Uint8Array>;
}

export interface ISort {
  column: string;
  descending: boolean;
}

export interface IFilter {
  column: string;
  operator: string;
  value?: unknown;
}

/** Who keeps the table: the session of a recipe, or the kernel of a notebook. */
export interface IGridBackend {
  /** Another order of the rows of a view, or fewer of them. */
  arrange(
    view: string,
    sort: ISort[],
    filters: IFilter[],
    signal: AbortSignal
  ): Promise<{ view: string; rows: number }>;
  window(
    asked: {
      view: string;
      start: number;
      count: number;
      columns: string[];
      before: string | null;
    },
    signal: AbortSignal
  ): Promise<Uint8Array>;
  /** One value whole. */
  cell(
    view: string,
    row: number,
    column: string
  ): Promise<{ value: string | null }>;
  profile(view: string, columns: string[]): Promise<{ columns: IProfile[] }>;
}

/** Rows and columns of one request. */
export const BLOCK_ROWS = 100;
export const BLOCK_COLUMNS = 40;

/** Blocks that are kept, the oldest go first; requests under way at a time. */
const MAX_BLOCKS = 120;
const MAX_PENDING = 3;
/** Blocks that wait to be asked for, the newest wishes. */
const MAX_QUEUED = 12;

const CHANGED = '__changed__';

/** What a renderer is told of a cell besides its text. */
export type CellNote = {
  kind: string;
  isMissing: boolean;
  isChanged: boolean;
  isLoading: boolean;
};

interface IBlock {
  rows: number;
  vectors: Map<string, Vector>;
}

export class GridModel extends DataModel {
  constructor(source: IGridSource) {
    super();
    this._source = source;
  }

  get columns(): IGridColumn[] {
    return this._source.columns;
  }

  rowCount(region: DataModel.RowRegion): number {
    return region === 'body' ? this._source.rowCount : 1;
  }

  columnCount(region: DataModel.ColumnRegion): number {
    return region === 'body' ? this._source.columns.length : 1;
  }

  data(region: DataModel.CellRegion, row: number, column: number): unknown {
    switch (region) {
      case 'column-header':
        return this._source.columns[column].name;
      case 'row-header':
        return (row + 1).toLocaleString('en');
      case 'corner-header':
        return '';
      default:
        return this._cell(row, column);
    }
  }

  /** What is known of a body cell without asking for it. */
  note(row: number, column: number): CellNote {
    const { name, kind } = this._source.columns[column];
    const block = this._blocks.get(keyOf(row, column));
    const place = row % BLOCK_ROWS;
    const value = block?.vectors.get(name)?.get(place) as unknown;
    return {
      kind,
      isLoading: !block,
      isMissing: Boolean(block) && (value === null || value === undefined),
      isChanged: block?.vectors.get(CHANGED + name)?.get(place) === true
    };
  }

  /** Stop what is under way. */
  dispose(): void {
    for (const abort of this._pending.values()) {
      abort.abort();
    }
    this._pending.clear();
    this._blocks.clear();
  }

  /** Make what the server says ready for the eye, in the words of a table. */
  static text(value: unknown, kind: string): string {
    if (value === null || value === undefined) {
      return '';
    }
    if (kind === 'date' || kind === 'datetime') {
      const date = value instanceof Date ? value : new Date(Number(value));
      if (Number.isNaN(date.getTime())) {
        return String(value);
      }
      const text = date.toISOString();
      return kind === 'date'
        ? text.slice(0, text.indexOf('T'))
        : text.replace('T', ' ').replace(/(\.000)?Z$/, '');
    }
    if (typeof value === 'number') {
      return Number.isInteger(value)
        ? String(value)
        : String(Number(value.toPrecision(8)));
    }
    return String(value).replace(/\r?\n/g, '⏎');
  }

  private _cell(row: number, column: number): string {
    const key = keyOf(row, column);
    const block = this._blocks.get(key);
    if (!block) {
      this._request(row, column);
      return '';
    }
    this._blocks.delete(key);
    this._blocks.set(key, block);
    const { name, kind } = this._source.columns[column];
    const value = block.vectors.get(name)?.get(row % BLOCK_ROWS) as unknown;
    return GridModel.text(value, kind);
  }

  /** Ask for the block of a cell in sight: the newest wish first, for older ones may be out of sight by now. */
  private _request(row: number, column: number): void {
    const key = keyOf(row, column);
    if (this._pending.has(key)) {
      return;
    }
    this._wanted.add(key);
    this.onWaiting?.(true);
    this._queue = this._queue.filter(one => one.key !== key);
    this._queue.push({ key, row, column });
    for (const { key: old } of this._queue.splice(
      0,
      this._queue.length - MAX_QUEUED
    )) {
      this._forget(old);
    }
    this._send();
  }

  private _send(): void {
    while (this._pending.size < MAX_PENDING) {
      const next = this._queue.pop();
      if (!next) {
        return;
      }
      this._fetch(next.key, next.row, next.column);
    }
  }

  /** The next rows in the direction of the last move, so that scrolling meets them. */
  private _prefetch(row: number, column: number): void {
    const ahead = row + (row >= this._lastRow ? BLOCK_ROWS : -BLOCK_ROWS);
    this._lastRow = row;
    const key = keyOf(ahead, column);
    const isThere = ahead >= 0 && ahead < this._source.rowCount;
    if (isThere && !this._blocks.has(key) && !this._pending.has(key)) {
      this._fetch(key, ahead, column);
    }
  }

  private _fetch(key: string, row: number, column: number): void {
    const abort = new AbortController();
    this._pending.set(key, abort);
    const start = Math.floor(row / BLOCK_ROWS) * BLOCK_ROWS;
    const first = Math.floor(column / BLOCK_COLUMNS) * BLOCK_COLUMNS;
    const count = Math.min(BLOCK_ROWS, this._source.rowCount - start);
    const columns = this._source.columns.slice(first, first + BLOCK_COLUMNS);
    this._source
      .window(
        start,
        count,
        columns.map(({ name }) => name),
        abort.signal
      )
      .then(bytes => {
        const table = tableFromIPC(bytes);
        const vectors = new Map<string, Vector>();
        for (const { name } of table.schema.fields) {
          const vector = table.getChild(name);
          if (vector) {
            vectors.set(name, vector);
          }
        }
        const isWanted = this._wanted.has(key);
        this._blocks.set(key, { rows: table.numRows, vectors });
        this._end(key);
        if (isWanted && this._queue.length === 0) {
          this._prefetch(row, column);
        }
        if (this._blocks.size > MAX_BLOCKS) {
          const [oldest] = this._blocks.keys();
          this._blocks.delete(oldest);
        }
        this.emitChanged({
          type: 'cells-changed',
          region: 'body',
          row: start,
          column: first,
          rowSpan: count,
          columnSpan: columns.length
        });
      })
      .catch((reason: unknown) => {
        this._end(key);
        if (!abort.signal.aborted) {
          this.onError?.(reason);
        }
      });
  }

  private _end(key: string): void {
    this._pending.delete(key);
    this._forget(key);
    this._send();
  }

  private _forget(key: string): void {
    if (this._wanted.delete(key) && this._wanted.size === 0) {
      this.onWaiting?.(false);
    }
  }

  /** Called when cells in sight begin to wait for their rows, and when none waits any more. */
  onWaiting: ((isWaiting: boolean) => void) | null = null;

  /** Called when rows could not be read. */
  onError: ((reason: unknown) => void) | null = null;

  private readonly _source: IGridSource;
  private readonly _blocks = new Map<string, IBlock>();
  private readonly _pending = new Map<string, AbortController>();
  private readonly _wanted = new Set<string>();
  private _queue: { key: string; row: number; column: number }[] = [];
  private _lastRow = 0;
}

function keyOf(row: number, column: number): string {
  return `${Math.floor(row / BLOCK_ROWS)}:${Math.floor(column / BLOCK_COLUMNS)}`;
}
