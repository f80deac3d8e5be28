/** Which file the command “Run as Job” is about, and how what was changed in it gets saved. */
import { JupyterFrontEnd } from '@jupyterlab/application';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

const RUNNABLE = /\.(py|ipynb)$/i;

export interface IRunAsJobOptions {
  app: JupyterFrontEnd;
  documents: IDocumentManager | null;
  browser: IDefaultFileBrowser | null;
}

/** Whether jobs can run such a file. */
export function isRunnable(path: string): boolean {
  return RUNNABLE.test(path);
}

/** The file that is named, selected in the file browser, or open in front; null if jobs cannot run it. */
export function fileToRun(
  options: IRunAsJobOptions,
  args: ReadonlyPartialJSONObject
): string | null {
  const path =
    typeof args.path === 'string'
      ? args.path
      : args.isInBrowser
        ? selectedPath(options)
        : currentPath(options);
  return path !== null && isRunnable(path) ? path : null;
}

/** Write what was changed in JupyterLab to the file. */
export async function saveIfChanged(
  { documents }: IRunAsJobOptions,
  path: string
): Promise<void> {
  const widget = documents?.findWidget(path, null);
  if (widget && widget.context.model.dirty && !widget.context.model.readOnly) {
    await widget.context.save();
  }
}

function selectedPath({ app, browser }: IRunAsJobOptions): string | null {
  const items = browser ? [...browser.selectedItems()] : [];
  return items.length === 1 ? localPath(app, items[0].path) : null;
}

function currentPath({ app, documents }: IRunAsJobOptions): string | null {
  const { currentWidget } = app.shell;
  const context = currentWidget && documents?.contextForWidget(currentWidget);
  return context ? localPath(app, context.path) : null;
}

/** The path below the server's root folder; null for a file of another drive. */
function localPath(app: JupyterFrontEnd, path: string): string | null {
  const { contents } = app.serviceManager;
  return contents.driveName(path) ? null : contents.localPath(path);
}
