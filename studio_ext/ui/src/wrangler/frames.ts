/** A button below the frames that a notebook shows: it opens the very table in the Data Wrangler. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { CodeCell } from '@jupyterlab/cells';
import { PathExt } from '@jupyterlab/coreutils';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { KernelMessage } from '@jupyterlab/services';
import type { IStudio } from '../frame';

const CLASS = 'atelier-FrameButton';
/** What pandas and polars write around their tables. */
const FRAME = /<table[^>]*class="[^"]*\bdataframe\b|<!-- *polars|data-polars/i;

interface IShown {
  output_type?: string;
  execution_count?: number | null;
  data?: { [type: string]: unknown };
}

/** The number of the output that shows a frame; null if the cell shows none. */
export function shownFrame(outputs: IShown[]): number | null {
  for (const { output_type, execution_count, data } of outputs) {
    const html = data?.['text/html'];
    const text = Array.isArray(html) ? html.join('') : html;
    if (
      output_type === 'execute_result' &&
      typeof execution_count === 'number' &&
      typeof text === 'string' &&
      FRAME.test(text)
    ) {
      return execution_count;
    }
  }
  return null;
}

/** What the recipe is called: the variable that the cell ends with, if it is one. */
export function frameName(source: string): string {
  const last = source.trimEnd().split('\n').pop() ?? '';
  return /^[A-Za-z]\w{0,60}$/.test(last.trim()) ? last.trim() : 'frame';
}

export function addFrameButtons(
  app: JupyterFrontEnd,
  studio: IStudio,
  tracker: INotebookTracker
): void {
  const visit = (panel: NotebookPanel) => {
    for (const cell of panel.content.widgets) {
      if (cell.model.type === 'code') {
        watch(cell as CodeCell, panel);
      }
    }
  };
  const watched = new WeakSet<CodeCell>();
  const watch = (cell: CodeCell, panel: NotebookPanel) => {
    if (watched.has(cell)) {
      return;
    }
    watched.add(cell);
    const look = () => {
      const { outputs } = cell.model;
      const number = studio.settings.frameButton
        ? shownFrame(outputs.toJSON() as IShown[])
        : null;
      const old = cell.node.querySelector(`.${CLASS}`);
      if (number === null || outputs.length === 0) {
        old?.remove();
        return;
      }
      const button = document.createElement('button');
      button.type = 'button';
      button.className = `${CLASS} atelier-Button`;
      button.textContent = studio.trans.__('Open in Data Wrangler');
      button.onclick = () => {
        button.disabled = true;
        void open(app, studio, panel, cell, number).finally(
          () => (button.disabled = false)
        );
      };
      old?.remove();
      cell.outputArea.node.parentElement?.insertAdjacentElement(
        'afterend',
        button
      );
    };
    cell.model.outputs.changed.connect(look);
    cell.disposed.connect(() => cell.model?.outputs.changed.disconnect(look));
    look();
  };
  tracker.widgetAdded.connect((_, panel) => {
    void panel.context.ready.then(() => {
      visit(panel);
      panel.content.model?.cells.changed.connect(() =>
        // The widgets of new cells come after their models.
        window.requestAnimationFrame(() => !panel.isDisposed && visit(panel))
      );
    });
  });
  studio.settingsChanged.connect(() => {
    if (!studio.settings.frameButton) {
      document.querySelectorAll(`.${CLASS}`).forEach(one => one.remove());
    }
  });
}

/** Begin a recipe on what an output holds, in the kernel, and open it. */
async function open(
  app: JupyterFrontEnd,
  studio: IStudio,
  panel: NotebookPanel,
  cell: CodeCell,
  number: number
): Promise<void> {
  const kernel = panel.sessionContext.session?.kernel;
  const { trans } = studio;
  if (!kernel) {
    Notification.error(
      trans.__('The notebook has no kernel. Start it, and run the cell again.')
    );
    return;
  }
  const name = frameName(cell.model.sharedModel.getSource());
  const future = kernel.requestExecute({
    code: '',
    silent: true,
    store_history: false,
    user_expressions: {
      path: `__import__("kernel_tools").wrangler.wrangle(Out[${number}], ${JSON.stringify(name)}).path.name`
    }
  });
  const reply = await future.done;
  const found = (
    reply.content as KernelMessage.IReplyOkContent & {
      user_expressions?: {
        path?: {
          status?: string;
          data?: { [type: string]: string };
          evalue?: string;
        };
      };
    }
  ).user_expressions?.path;
  const text = found?.data?.['text/plain'];
  if (found?.status !== 'ok' || !text) {
    Notification.error(
      found?.evalue ??
        trans.__('The table is not in the kernel any more. Run the cell again.')
    );
    return;
  }
  const folder = PathExt.dirname(panel.context.path);
  const path = PathExt.join(folder, text.replace(/^['"]|['"]$/g, ''));
  await app.commands.execute('docmanager:open', { path });
}
