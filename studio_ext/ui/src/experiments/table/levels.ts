/** The rows of one level of the table: runs of a search, fetched block by block, or groups of runs. */
import type { RunGroup, RunRecord, RunWindow, WindowRequest } from '../../api';

export interface IRunRow {
  kind: 'run';
  id: string;
  run: RunRecord;
  depth: number;
  childCount: number;
}

export interface IGroupRow {
  kind: 'group';
  id: string;
  group: RunGroup;
  depth: number;
  childCount: number;
}

export type TableRow = IRunRow | IGroupRow;

/** What tells the runs of a level from those of others. */
export type LevelScope = Partial<
  Pick<
    WindowRequest,
    'group_by' | 'group_value' | 'parent_run_id' | 'roots_only'
  >
>;

export type FetchWindow = (
  request: Partial<WindowRequest>,
  signal: AbortSignal
) => Promise<RunWindow>;

/** Rows in one request. */
export const BLOCK_SIZE = 200;

/** Blocks that a level keeps; the one fetched longest ago goes first. */
const MAX_BLOCKS = 40;

/** A row that is open, and what is inside it. */
export interface IOpened {
  id: string;
  index: number;
  level: RunLevel;
}

/** What both kinds of levels are to the tree. */
export interface ILevel {
  readonly count: number;
  opened: IOpened[];
  row(index: number): TableRow | undefined;
  indexOf(id: string): number;
}

/** Groups, all at hand. */
export class GroupLevel implements ILevel {
  constructor(groups: RunGroup[]) {
    this._rows = groups.map(group => ({
      kind: 'group',
      id: `group:${JSON.stringify(group.value)}`,
      group,
      depth: 0,
      childCount: group.count
    }));
  }

  opened: IOpened[] = [];

  get count(): number {
    return this._rows.length;
  }

  row(index: number): IGroupRow | undefined {
    return this._rows[index];
  }

  indexOf(id: string): number {
    return this._rows.findIndex(row => row.id === id);
  }

  private readonly _rows: IGroupRow[];
}

/** Runs by position. All blocks are of one order; when it is gone on the server, all are fetched anew. */
export class RunLevel implements ILevel {
  constructor(options: RunLevel.IOptions) {
    this._fetch = options.fetch;
    this._scope = options.scope;
    this.depth = options.depth;
    this._count = options.count;
  }

  readonly depth: number;
  opened: IOpened[] = [];

  get count(): number {
    return this._count;
  }

  row(index: number): IRunRow | undefined {
    const block = this._blocks.get(Math.floor(index / BLOCK_SIZE));
    return block?.[index % BLOCK_SIZE];
  }

  indexOf(id: string): number {
    for (const [number, rows] of this._blocks) {
      const place = rows.findIndex(row => row.id === id);
      if (place >= 0) {
        return number * BLOCK_SIZE + place;
      }
    }
    return -1;
  }

  has(block: number): boolean {
    return this._blocks.has(block);
  }

  /** Fetch a block; false if the order is another one now, so that everything has to be fetched anew. */
  async load(block: number, signal: AbortSignal): Promise<boolean> {
    const known = this._order;
    const reply = await this._read(block, known, [], signal);
    if (signal.aborted || known !== this._order) {
      return true;
    }
    if (known !== null && reply.order !== known) {
      return false;
    }
    this._order = reply.order;
    this._count = reply.total;
    this._blocks.set(block, this._rowsOf(reply));
    const [oldest] = this._blocks.keys();
    if (this._blocks.size > MAX_BLOCKS) {
      this._blocks.delete(oldest);
    }
    return true;
  }

  /** Fetch some blocks of a new order, and put them in the place of all that is known at once. */
  async reload(blocks: number[], signal: AbortSignal): Promise<void> {
    const ids = this.opened.map(({ id }) => id).slice(0, 200);
    const [first = 0, ...others] = blocks;
    const reply = await this._read(first, null, ids, signal);
    const loaded = new Map([[first, this._rowsOf(reply)]]);
    await Promise.all(
      others
        .filter(block => block * BLOCK_SIZE < reply.total)
        .map(async block => {
          const next = await this._read(block, reply.order, [], signal);
          loaded.set(block, this._rowsOf(next));
        })
    );
    if (signal.aborted) {
      return;
    }
    this._order = reply.order;
    this._count = reply.total;
    this._blocks = loaded;
    this.opened = this.opened
      .filter(({ id }) => id in reply.positions)
      .map(opened => ({ ...opened, index: reply.positions[opened.id] }))
      .sort((a, b) => a.index - b.index);
  }

  /** Put runs as they are now in the place of those that are known; returns the ids of the rows that changed. */
  update(runs: Map<string, RunRecord>): string[] {
    const changed: string[] = [];
    for (const rows of this._blocks.values()) {
      rows.forEach((row, place) => {
        const run = runs.get(row.id);
        if (run) {
          rows[place] = { ...row, run };
          changed.push(row.id);
        }
      });
    }
    return changed;
  }

  private _read(
    block: number,
    order: string | null,
    find: string[],
    signal: AbortSignal
  ): Promise<RunWindow> {
    const offset = block * BLOCK_SIZE;
    return this._fetch(
      { ...this._scope, offset, limit: BLOCK_SIZE, order, find },
      signal
    );
  }

  private _rowsOf(reply: RunWindow): IRunRow[] {
    return reply.rows.map(run => ({
      kind: 'run',
      id: run.id,
      run,
      depth: this.depth,
      childCount: reply.child_counts[run.id] ?? 0
    }));
  }

  private readonly _fetch: FetchWindow;
  private readonly _scope: LevelScope;
  private _count: number;
  private _order: string | null = null;
  private _blocks = new Map<number, IRunRow[]>();
}

export namespace RunLevel {
  export interface IOptions {
    fetch: FetchWindow;
    scope: LevelScope;
    depth: number;
    /** How many rows there are, as far as is known before the first are fetched. */
    count: number;
  }
}
