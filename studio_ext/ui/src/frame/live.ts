/** What changes on the server, told as it happens, to views in sight; when the line is broken, it is mended. */
import { ServerConnection } from '@jupyterlab/services';
import { URLExt } from '@jupyterlab/coreutils';
import * as React from 'react';

import type {
  LiveBatch,
  LiveDebuggerBatch,
  LiveDebuggerRequest,
  LiveJobsBatch,
  LiveJobsRequest,
  LiveRequest
} from '../api';
import { usePage } from './context';

/** What a view watches: the runs of some experiments, of all if none is named, or one run. */
export type LiveTopic = Pick<LiveRequest, 'experiment' | 'run_id'>;

/** What a view watches: all jobs, or one, and of that the log of an attempt. */
export type LiveJobsTopic = Partial<Pick<LiveJobsRequest, 'job' | 'attempt'>>;

/** What a view watches: the capture of one run. */
export type LiveDebuggerTopic = Pick<LiveDebuggerRequest, 'run_id'>;

/** Where a view stands after a message. */
interface IPlace {
  epoch: string;
  sequence: number;
}

/** Milliseconds before a broken line is tried again, at first and at most. */
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30_000;

/** Call `onMessage` with what changes among runs; see `useLine`. */
export function useLive(
  topic: LiveTopic | null,
  onMessage: (batch: LiveBatch) => void
): boolean {
  return useLine('live/runs', topic, onMessage);
}

/** Call `onMessage` with what changes among jobs; see `useLine`. */
export function useLiveJobs(
  topic: LiveJobsTopic | null,
  onMessage: (batch: LiveJobsBatch) => void
): boolean {
  return useLine('live/jobs', topic, onMessage);
}

/** Call `onMessage` when something was captured or found of a run; see `useLine`. */
export function useLiveDebugger(
  topic: LiveDebuggerTopic | null,
  onMessage: (batch: LiveDebuggerBatch) => void
): boolean {
  return useLine('live/debugger', topic, onMessage);
}

/**
 * Call `onMessage` with what changes while the page is in sight; null watches nothing.
 *
 * Returns whether the line stands; while it does not, a view should poll. After a pause the first message tells what
 * changed meanwhile, or that it is too much to tell (`must_reload`).
 */
function useLine<T extends object, B extends IPlace>(
  path: string,
  topic: T | null,
  onMessage: (batch: B) => void
): boolean {
  const page = usePage();
  const [isConnected, setConnected] = React.useState(false);
  const latest = React.useRef(onMessage);
  latest.current = onMessage;
  const key = topic === null ? null : JSON.stringify(topic);

  React.useEffect(() => {
    if (key === null || typeof WebSocket === 'undefined') {
      return;
    }
    const line = new Line<B>(
      path,
      JSON.parse(key) as object,
      batch => latest.current(batch),
      setConnected
    );
    const onVisible = (_: unknown, isVisible: boolean) =>
      isVisible ? line.open() : line.close();
    page.visibilityChanged.connect(onVisible);
    if (page.isVisible) {
      line.open();
    }
    return () => {
      page.visibilityChanged.disconnect(onVisible);
      line.close();
    };
  }, [path, key, page]);
  return isConnected;
}

/** One websocket, opened again when it breaks. */
class Line<B extends IPlace> {
  constructor(
    private readonly _path: string,
    private readonly _topic: object,
    private readonly _onMessage: (batch: B) => void,
    private readonly _onConnected: (isConnected: boolean) => void
  ) {}

  open(): void {
    this._isWanted = true;
    if (this._socket) {
      return;
    }
    const settings = ServerConnection.makeSettings();
    const url = URLExt.join(settings.wsUrl, 'studio/api', this._path);
    const query = settings.appendToken && settings.token;
    const socket = new settings.WebSocket(
      query ? `${url}?token=${encodeURIComponent(settings.token)}` : url
    );
    this._socket = socket;
    socket.onopen = () => {
      const { epoch, since } = this;
      socket.send(JSON.stringify({ ...this._topic, epoch, since }));
    };
    socket.onmessage = event => {
      if (this._socket !== socket) {
        return;
      }
      const batch = JSON.parse(String(event.data)) as B;
      this.epoch = batch.epoch;
      this.since = batch.sequence;
      this._pause = FIRST_PAUSE;
      this._onConnected(true);
      this._onMessage(batch);
    };
    socket.onclose = () => {
      if (this._socket === socket) {
        this._socket = null;
        this._onConnected(false);
        this._retry();
      }
    };
  }

  close(): void {
    this._isWanted = false;
    window.clearTimeout(this._timer);
    const socket = this._socket;
    this._socket = null;
    socket?.close();
    this._onConnected(false);
  }

  private _retry(): void {
    if (this._isWanted) {
      this._timer = window.setTimeout(() => this.open(), this._pause);
      this._pause = Math.min(LONGEST_PAUSE, 2 * this._pause);
    }
  }

  epoch: string | null = null;
  since = 0;
  private _socket: WebSocket | null = null;
  private _isWanted = false;
  private _timer = 0;
  private _pause = FIRST_PAUSE;
}
