/** A table in the kernel of a notebook: questions and answers over the messages of a widget. */
import type { DOMWidgetModel } from '@jupyter-widgets/base';
import type { TranslationBundle } from '@jupyterlab/translation';
import { type JSONObject, UUID } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';

import type { IGridBackend, IProfile } from '../grid/model';

interface IAnswer {
  id: string;
  result?: unknown;
  error?: string;
}

/**
 * One view of a table. Every view of it hears every answer, those in other browsers too, so that a question has an id
 * that no other view gives.
 */
export class KernelBackend implements IGridBackend, IDisposable {
  constructor(
    private readonly _model: DOMWidgetModel,
    private readonly _trans: TranslationBundle
  ) {
    _model.on('msg:custom', this._onAnswer, this);
    _model.on('comm_live_update', this._onEnd, this);
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this._model.off(undefined, undefined, this);
    this._rejectAll();
  }

  arrange(
    ...[view, sort, filters, signal]: Parameters<IGridBackend['arrange']>
  ) {
    return this._ask<{ view: string; rows: number }>(
      'arrange',
      { view, sort, filters },
      signal
    );
  }

  window(...[asked, signal]: Parameters<IGridBackend['window']>) {
    return this._ask<Uint8Array>('window', asked, signal);
  }

  cell(view: string, row: number, column: string) {
    return this._ask<{ value: string | null }>('cell', { view, row, column });
  }

  profile(view: string, columns: string[]) {
    return this._ask<{ columns: IProfile[] }>('profile', { view, columns });
  }

  private _ask<T>(
    method: string,
    params: object,
    signal?: AbortSignal
  ): Promise<T> {
    this._number += 1;
    const id = `${this._name} ${this._number}`;
    return new Promise<T>((resolve, reject) => {
      if (!this._model.comm_live) {
        reject(this._gone());
        return;
      }
      this._waiting.set(id, {
        resolve: resolve as (value: unknown) => void,
        reject
      });
      signal?.addEventListener('abort', () => {
        this._waiting.delete(id);
        reject(new DOMException('Stopped', 'AbortError'));
      });
      this._model.send({ id, method, params: params as JSONObject }, {});
    });
  }

  private _onAnswer(answer: IAnswer, buffers: DataView[]): void {
    const waiting = this._waiting.get(answer.id);
    this._waiting.delete(answer.id);
    if (!waiting) {
      return;
    }
    if (answer.error !== undefined) {
      waiting.reject(new Error(answer.error));
    } else if (buffers.length > 0) {
      const { buffer, byteOffset, byteLength } = buffers[0];
      waiting.resolve(new Uint8Array(buffer, byteOffset, byteLength));
    } else {
      waiting.resolve(answer.result);
    }
  }

  private _onEnd(): void {
    if (!this._model.comm_live) {
      this._rejectAll();
    }
  }

  private _rejectAll(): void {
    for (const { reject } of this._waiting.values()) {
      reject(this._gone());
    }
    this._waiting.clear();
  }

  private _gone(): Error {
    return new Error(
      this._trans.__(
        'The table is not in the kernel any more. Run the cell again.'
      )
    );
  }

  private readonly _name = UUID.uuid4();
  private _number = 0;
  private _isDisposed = false;
  private readonly _waiting = new Map<
    string,
    { resolve(value: unknown): void; reject(reason: unknown): void }
  >();
}
