/** A table in the kernel of a notebook: questions and answers over the messages of a widget. */
import type { DOMWidgetModel } from '@jupyter-widgets/base';
import type { JSONObject } from '@lumino/coreutils';

import type { IGridBackend, IProfile } from '../grid/model';

interface IAnswer {
  id: number;
  result?: unknown;
  error?: string;
}

export class KernelBackend implements IGridBackend {
  constructor(private readonly _model: DOMWidgetModel) {
    _model.on('msg:custom', (answer: IAnswer, buffers: DataView[]) => {
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
    });
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
    const id = this._number;
    return new Promise<T>((resolve, reject) => {
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

  private _number = 0;
  private readonly _waiting = new Map<
    number,
    { resolve(value: unknown): void; reject(reason: unknown): void }
  >();
}
