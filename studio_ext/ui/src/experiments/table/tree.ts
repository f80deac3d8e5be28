/** The rows of the table as one list: levels inside levels, of which what is in sight is fetched. */
import { ISignal, Signal } from '@lumino/signaling';

import { ApiError, RunGroups, RunRecord } from '../../api';
import type { IBranch, IRows } from '../../components';
import {
  BLOCK_SIZE,
  FetchWindow,
  GroupLevel,
  ILevel,
  RunLevel,
  TableRow
} from './levels';

/** Blocks fetched beyond those in sight, in the direction of scrolling and behind. */
const AHEAD = 3;
const BEHIND = 1;

/** Blocks that are on their way at once. */
const MAX_PENDING = 2;

/** Milliseconds for which a row that changed is marked. */
const FRESH_TIME = 1200;

interface IPlace {
  level: ILevel;
  index: number;
}

export class RunTree implements IRows<TableRow> {
  constructor(options: RunTree.IOptions) {
    this._options = options;
    this._top = this._makeTop();
  }

  /** Emitted when other rows are known. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** What is known may not be what the server would say now. */
  isStale = true;

  /** The last failure of a block, until one succeeds. */
  error: ApiError | null = null;

  /** How many runs there are, and of groups how many. */
  total = { runs: 0, groups: 0 };

  get length(): number {
    return sizeOf(this._top);
  }

  row(position: number): TableRow | undefined {
    const { level, index } = locate(this._top, position);
    return level.row(index);
  }

  find(id: string): number {
    return positionOf(this._top, id);
  }

  branch(row: TableRow): IBranch {
    return {
      depth: row.depth,
      childCount: row.childCount,
      isOpen:
        this._levelOf(row)?.opened.some(({ id }) => id === row.id) ?? false
    };
  }

  isFresh(row: TableRow): boolean {
    return this._fresh.has(row.id);
  }

  /** The records at hand from one position to another. */
  runsBetween(start: number, end: number): RunRecord[] {
    const found: RunRecord[] = [];
    for (let position = start; position <= end; position += 1) {
      const row = this.row(position);
      if (row?.kind === 'run') {
        found.push(row.run);
      }
    }
    return found;
  }

  show(start: number, end: number): void {
    if (start !== this._range.start) {
      this._isUpwards = start < this._range.start;
    }
    this._range = { start, end };
    this._wanted = [false, true].flatMap(isAhead =>
      [...this._blocksInSight(isAhead)].flatMap(([level, blocks]) =>
        [...blocks].map(block => ({ level, block }))
      )
    );
    this._fetchNext();
  }

  toggle(row: TableRow): void {
    const level = this._levelOf(row);
    if (!level) {
      return;
    }
    if (level.opened.some(({ id }) => id === row.id)) {
      level.opened = level.opened.filter(({ id }) => id !== row.id);
    } else {
      const inner = new RunLevel({
        fetch: this._options.fetch,
        scope:
          row.kind === 'run'
            ? { parent_run_id: row.id }
            : {
                group_by: this._options.groupBy,
                group_value: row.group.value
              },
        depth: row.depth + 1,
        count: row.childCount
      });
      const opened = { id: row.id, index: level.indexOf(row.id), level: inner };
      level.opened = [...level.opened, opened].sort(
        (a, b) => a.index - b.index
      );
    }
    this.show(this._range.start, this._range.end);
    this._changed.emit();
  }

  /** Fetch what is in sight anew. */
  async refresh(signal: AbortSignal): Promise<void> {
    this.isStale = false;
    const { fetchGroups } = this._options;
    try {
      if (fetchGroups) {
        const reply = await fetchGroups(signal);
        if (signal.aborted) {
          return;
        }
        const top = new GroupLevel(reply.groups);
        top.opened = this._top.opened
          .map(opened => ({ ...opened, index: top.indexOf(opened.id) }))
          .filter(({ index }) => index >= 0)
          .sort((a, b) => a.index - b.index);
        this._top = top;
        this.total = { runs: reply.run_count, groups: reply.total };
      }
      const inSight = this._blocksInSight(false);
      if (this._top instanceof RunLevel && !inSight.has(this._top)) {
        inSight.set(this._top, new Set([0]));
      }
      await Promise.all(
        [...inSight].map(([level, blocks]) => level.reload([...blocks], signal))
      );
    } catch (failure) {
      this.isStale = true;
      throw failure;
    }
    if (signal.aborted) {
      return;
    }
    if (this._top instanceof RunLevel) {
      this.total = { runs: this._top.count, groups: 0 };
    }
    this.error = null;
    this.show(this._range.start, this._range.end);
    this._changed.emit();
  }

  /** Take over runs as they are now, and mark their rows for a moment. */
  update(runs: RunRecord[]): void {
    const byId = new Map(runs.map(run => [run.id, run]));
    const changed = levelsBelow(this._top).flatMap(level =>
      level instanceof RunLevel ? level.update(byId) : []
    );
    if (changed.length === 0) {
      return;
    }
    changed.forEach(id => this._fresh.add(id));
    window.setTimeout(() => {
      changed.forEach(id => this._fresh.delete(id));
      this._changed.emit();
    }, FRESH_TIME);
    this._changed.emit();
  }

  dispose(): void {
    this._wanted = [];
    this._pending.forEach(controller => controller.abort());
    this._pending.clear();
    Signal.clearData(this);
  }

  /** Fetch what is wanted most, a few blocks at a time: who scrolls fast is not to wait for what went by. */
  private _fetchNext(): void {
    while (this._pending.size < MAX_PENDING) {
      const next = this._wanted.shift();
      if (!next) {
        return;
      }
      const key = `${this._keyOf(next.level)}/${next.block}`;
      if (!next.level.has(next.block) && !this._pending.has(key)) {
        void this._load(key, next);
      }
    }
  }

  private async _load(
    key: string,
    { level, block }: { level: RunLevel; block: number }
  ): Promise<void> {
    const controller = new AbortController();
    const { signal } = controller;
    this._pending.set(key, controller);
    try {
      const isSame = await level.load(block, signal);
      if (!isSame) {
        await this.refresh(signal);
      }
      this.error = null;
      this._pending.delete(key);
    } catch (failure) {
      this._pending.delete(key);
      this.isStale = true;
      this.error =
        failure instanceof ApiError ? failure : ApiError.fromFailure(failure);
      this._wanted = []; // the next poll or scrolling tries again
    }
    if (signal.aborted) {
      return;
    }
    if (!this.error) {
      this.show(this._range.start, this._range.end);
    }
    this._changed.emit();
  }

  private _makeTop(): ILevel {
    const { fetch, fetchGroups, isNested } = this._options;
    return fetchGroups
      ? new GroupLevel([])
      : new RunLevel({
          fetch,
          scope: { roots_only: isNested },
          depth: 0,
          count: 0
        });
  }

  /** The blocks that hold the rows in sight, and those that will soon be if `isAhead`. */
  private _blocksInSight(isAhead: boolean): Map<RunLevel, Set<number>> {
    const found = new Map<RunLevel, Set<number>>();
    const end = Math.min(this._range.end, this.length);
    for (let position = this._range.start; position < end; position += 1) {
      const { level, index } = locate(this._top, position);
      if (level instanceof RunLevel) {
        const blocks = found.get(level) ?? new Set();
        blocks.add(Math.floor(index / BLOCK_SIZE));
        found.set(level, blocks);
      }
    }
    const [up, down] = this._isUpwards ? [AHEAD, BEHIND] : [BEHIND, AHEAD];
    for (const [level, blocks] of isAhead ? found : []) {
      const last = Math.floor((level.count - 1) / BLOCK_SIZE);
      const low = Math.min(...blocks);
      const high = Math.max(...blocks);
      for (let step = 1; step <= AHEAD; step += 1) {
        if (step <= down) {
          blocks.add(Math.min(last, high + step));
        }
        if (step <= up) {
          blocks.add(Math.max(0, low - step));
        }
      }
    }
    return found;
  }

  private _levelOf(row: TableRow): ILevel | undefined {
    return levelsBelow(this._top).find(level => level.indexOf(row.id) >= 0);
  }

  private _keyOf(level: RunLevel): number {
    const known = this._keys.get(level) ?? (this._lastKey += 1);
    this._keys.set(level, known);
    return known;
  }

  private readonly _options: RunTree.IOptions;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _pending = new Map<string, AbortController>();
  private readonly _fresh = new Set<string>();
  private readonly _keys = new WeakMap<RunLevel, number>();
  private _lastKey = 0;
  private _top: ILevel;
  private _range = { start: 0, end: 0 };
  private _isUpwards = false;
  private _wanted: { level: RunLevel; block: number }[] = [];
}

export namespace RunTree {
  export interface IOptions {
    fetch: FetchWindow;
    isNested: boolean;
    groupBy: string | null;
    /** Given for a table of groups. */
    fetchGroups: ((signal: AbortSignal) => Promise<RunGroups>) | null;
  }
}

/** Rows of a level and of everything open in it. */
function sizeOf(level: ILevel): number {
  return level.opened.reduce(
    (sum, opened) => sum + sizeOf(opened.level),
    level.count
  );
}

/** The level that a position of the whole list falls into. */
function locate(level: ILevel, position: number): IPlace {
  let inner = 0;
  for (const opened of level.opened) {
    const after = opened.index + inner;
    if (position <= after) {
      break;
    }
    const size = sizeOf(opened.level);
    if (position <= after + size) {
      return locate(opened.level, position - after - 1);
    }
    inner += size;
  }
  return { level, index: position - inner };
}

/** The position of a row in the whole list; -1 if it is not known. */
function positionOf(level: ILevel, id: string): number {
  const index = level.indexOf(id);
  let inner = 0;
  for (const opened of level.opened) {
    if (index >= 0 && opened.index >= index) {
      break;
    }
    const found = index >= 0 ? -1 : positionOf(opened.level, id);
    if (found >= 0) {
      return opened.index + inner + 1 + found;
    }
    inner += sizeOf(opened.level);
  }
  return index >= 0 ? index + inner : -1;
}

function levelsBelow(level: ILevel): ILevel[] {
  return [level, ...level.opened.flatMap(opened => levelsBelow(opened.level))];
}
