import type { DOMWidgetModel } from '@jupyter-widgets/base';
import { nullTranslator } from '@jupyterlab/translation';

import { KernelBackend } from '../widget/kernelBackend';

type Listener = { event: string; call: (...args: unknown[]) => void };

/** A model as two views of it see it: every answer goes to all. */
class Model {
  comm_live = true;
  sent: { id: string; method: string }[] = [];

  on(event: string, call: Listener['call'], context: unknown): void {
    this._listeners.push({ event, call: call.bind(context) });
  }

  off(): void {
    this._listeners = [];
  }

  send(content: { id: string; method: string }): void {
    this.sent.push(content);
  }

  tell(event: string, ...args: unknown[]): void {
    this._listeners
      .filter(one => one.event === event)
      .forEach(one => one.call(...args));
  }

  private _listeners: Listener[] = [];
}

const trans = nullTranslator.load('');
const backendOf = (model: Model) =>
  new KernelBackend(model as unknown as DOMWidgetModel, trans);

describe('a table in a kernel', () => {
  it('gives each of its views its own answers', async () => {
    const model = new Model();
    const one = backendOf(model).cell('0', 0, 'a');
    const other = backendOf(model).cell('0', 1, 'a');
    const [first, second] = model.sent;
    model.tell('msg:custom', { id: second.id, result: { value: '2' } }, []);
    model.tell('msg:custom', { id: first.id, result: { value: '1' } }, []);
    expect([await one, await other]).toEqual([{ value: '1' }, { value: '2' }]);
  });

  it('says that the kernel is gone instead of waiting for it', async () => {
    const model = new Model();
    const backend = backendOf(model);
    const waiting = backend.profile('0', ['a']);
    model.comm_live = false;
    model.tell('comm_live_update');
    await expect(waiting).rejects.toThrow('Run the cell again');
    await expect(backend.cell('0', 0, 'a')).rejects.toThrow('Run the cell');
    expect(model.sent).toHaveLength(1);
  });
});
