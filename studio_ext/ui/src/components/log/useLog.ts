/** A window of a log that follows its end, or moves to where somebody looks. */
import * as React from 'react';

import { ApiError, LogPage } from '../../api';
import {
  ILogWindow,
  PAGE_BYTES,
  WINDOW_BYTES,
  appendPage,
  prependPage,
  windowOfPage
} from './logWindow';
import type { ILogQuery, ILogSource } from './source';

/** Pages that one news of growth fetches at most before the end is jumped to. */
const CATCH_UP = 4;

export interface ILog {
  /** Null until something was read. */
  window: ILogWindow | null;
  error: ApiError | null;
  isFollowing: boolean;
  follow(isOn: boolean): void;
  /** Fetch what stands before, or after, the window. */
  loadBefore(): void;
  loadAfter(): void;
  /** Show the lines around an offset. */
  show(offset: number): Promise<void>;
  /** The log is known to reach to `size`. */
  reach(size: number): void;
  retry(): void;
}

/** `isOpen` tells whether more may be printed; whoever learns of more says so by `reach`. */
export function useLog(source: ILogSource, isOpen: boolean): ILog {
  const [isFollowing, setFollowing] = React.useState(true);
  const [state, setState] = React.useState<{
    window: ILogWindow | null;
    error: ApiError | null;
  }>({ window: null, error: null });
  const reader = React.useMemo(
    () => new Reader(source, setState),
    [source.key]
  );
  React.useEffect(() => {
    setState({ window: null, error: null });
    setFollowing(true);
    reader.toEnd();
    return () => reader.dispose();
  }, [reader]);
  // The last lines come after the news that the end has come: they are asked for once more.
  React.useEffect(() => {
    if (!isOpen && isFollowing) {
      reader.grow(null);
    }
  }, [reader, isOpen]);
  return {
    ...state,
    isFollowing,
    follow: isOn => {
      setFollowing(isOn);
      if (isOn) {
        reader.toEnd();
      }
    },
    loadBefore: () => reader.before(),
    loadAfter: () => reader.after(),
    show: async offset => {
      setFollowing(false);
      await reader.near(offset);
    },
    reach: size => (isFollowing ? reader.grow(size) : reader.note(size)),
    retry: () => reader.toEnd()
  };
}

interface ILogState {
  window: ILogWindow | null;
  error: ApiError | null;
}

/** Reads one page at a time; a jump puts an end to what is on its way. */
class Reader {
  constructor(
    private readonly _source: ILogSource,
    private readonly _tell: (state: ILogState) => void
  ) {}

  dispose(): void {
    this._controller.abort();
  }

  toEnd(): void {
    void this._jump({ limit: PAGE_BYTES });
  }

  near(offset: number): Promise<void> {
    this._wanted = 0;
    return this._jump({ near: offset, limit: PAGE_BYTES });
  }

  before(): void {
    const { _window: known } = this;
    if (known && known.start > known.first) {
      void this._step(
        { before: known.start },
        page => this._window && prependPage(this._window, page)
      );
    }
  }

  after(): void {
    const { _window: known } = this;
    if (known && known.end < known.size) {
      void this._step(
        { offset: known.end },
        page => this._window && appendPage(this._window, page)
      );
    }
  }

  /** The log reaches to `size`, null if that is not known, and its end is wanted. */
  grow(size: number | null): void {
    const { _window: known } = this;
    this._wanted = Math.max(this._wanted, size ?? Infinity);
    if (this._isBusy || !known) {
      return; // asked for when what is on its way is there
    }
    if (size !== null && size - known.end > CATCH_UP * PAGE_BYTES) {
      this.toEnd();
    } else if (this._wanted > known.end) {
      void this._step(
        { offset: known.end },
        page => this._window && appendPage(this._window, page)
      );
    }
  }

  /** The log reaches to `size`, but somebody looks elsewhere. */
  note(size: number): void {
    if (this._window && size > this._window.size) {
      this._set({ ...this._window, size });
    }
  }

  private async _jump(query: Partial<ILogQuery>): Promise<void> {
    this._controller.abort();
    this._controller = new AbortController();
    this._isBusy = false;
    await this._step(query, windowOfPage);
    // A page that begins near the end is short: what stands before it fills the view.
    const { _window: known } = this;
    if (
      known &&
      known.end - known.start < PAGE_BYTES / 2 &&
      known.start > known.first &&
      WINDOW_BYTES > PAGE_BYTES
    ) {
      this.before();
    }
  }

  private async _step(
    query: Partial<ILogQuery>,
    change: (page: LogPage) => ILogWindow | null
  ): Promise<void> {
    if (this._isBusy) {
      return;
    }
    this._isBusy = true;
    const { signal } = this._controller;
    try {
      const page = await this._source.read(
        { limit: PAGE_BYTES, ...query },
        signal
      );
      if (!signal.aborted) {
        this._set(change(page));
        if (page.end >= page.size) {
          this._wanted = Math.min(this._wanted, page.size);
        }
      }
    } catch (failure) {
      if (!signal.aborted) {
        const error =
          failure instanceof ApiError ? failure : ApiError.fromFailure(failure);
        this._hasFailed = true;
        this._tell({ window: this._window, error });
      }
    } finally {
      if (!signal.aborted) {
        this._isBusy = false;
        this._goOn();
      }
    }
  }

  /** Fetch what has come meanwhile, if the end is wanted. */
  private _goOn(): void {
    const end = this._window?.end ?? Infinity;
    if (this._wanted > end && !this._hasFailed) {
      this.grow(this._wanted === Infinity ? null : this._wanted);
    }
  }

  private _set(window: ILogWindow | null): void {
    this._window = window;
    this._hasFailed = false;
    this._tell({ window, error: null });
  }

  private _window: ILogWindow | null = null;
  private _wanted = 0;
  private _isBusy = false;
  private _hasFailed = false;
  private _controller = new AbortController();
}
