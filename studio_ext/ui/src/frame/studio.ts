/** The studio itself: its rooms, and the ways to its pages. */
import { JupyterFrontEnd } from '@jupyterlab/application';
import {
  Clipboard,
  IThemeManager,
  MainAreaWidget,
  Notification,
  WidgetTracker
} from '@jupyterlab/apputils';
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { TranslationBundle } from '@jupyterlab/translation';
import { DisposableDelegate, IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import { Client } from '../api';
import { ILink, linkTo, parsePath } from './links';
import { PageWidget } from './page';
import type { IPage, IRoom, IStudio, IStudioSettings } from './tokens';

export const QUICKSTART_PATH = 'notebooks/quickstart.ipynb';

/** Milliseconds that a notebook has to draw a new cell. */
const INSERT_PAUSE = 150;

/** Opens pages, keeps rooms in order, and tells them what the user changed. */
export class Studio implements IStudio {
  constructor(options: Studio.IOptions) {
    this._app = options.app;
    this.client = options.client;
    this.trans = options.trans;
    this.rendermime = options.rendermime;
    options.themeManager?.themeChanged.connect(() => this._themeChanged.emit());
  }

  readonly client: Client;
  readonly trans: TranslationBundle;
  readonly rendermime: IRenderMimeRegistry | null;
  readonly tracker = new WidgetTracker<MainAreaWidget<PageWidget>>({
    namespace: 'atelier'
  });

  get settings(): IStudioSettings {
    return this._settings;
  }

  get settingsChanged(): ISignal<this, void> {
    return this._settingsChanged;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get themeChanged(): ISignal<this, void> {
    return this._themeChanged;
  }

  get rooms(): readonly IRoom[] {
    return this._rooms;
  }

  get roomsChanged(): ISignal<this, void> {
    return this._roomsChanged;
  }

  addRoom(room: IRoom): IDisposable {
    this._rooms = [...this._rooms, room].sort(
      (a, b) => a.section.rank - b.section.rank
    );
    this._roomsChanged.emit();
    return new DisposableDelegate(() => {
      this._rooms = this._rooms.filter(other => other !== room);
      this._roomsChanged.emit();
    });
  }

  addPages(resolve: (link: ILink) => IPage | null): IDisposable {
    const pages = { resolve };
    this._pages = [...this._pages, pages];
    this._roomsChanged.emit();
    return new DisposableDelegate(() => {
      this._pages = this._pages.filter(other => other !== pages);
      this._roomsChanged.emit();
    });
  }

  resolve(path: string): IPage | null {
    const link = parsePath(path);
    for (const room of link ? [...this._rooms, ...this._pages] : []) {
      const page = link && room.resolve(link);
      if (page) {
        return page;
      }
    }
    return null;
  }

  open(path: string): void {
    const tab = this.resolve(path)?.tab ?? path;
    const id = `atelier-tab-${tab.replace(/[^\w.-]+/g, '-')}`;
    let widget = this.tracker.find(other => other.id === id);
    if (!widget) {
      widget = this._createTab(id, path);
    } else {
      widget.content.navigate(path);
    }
    this._app.shell.activateById(widget.id);
  }

  openQuickstart(): void {
    const { contents } = this._app.serviceManager;
    contents
      .get(QUICKSTART_PATH, { content: false })
      .then(() =>
        this._app.commands.execute('docmanager:open', { path: QUICKSTART_PATH })
      )
      .catch(() => {
        Notification.warning(
          this.trans.__(
            'There is no %1 in the folder that JupyterLab was started in. Start it with “atelier lab”, or copy the quickstart there.',
            QUICKSTART_PATH
          ),
          { autoClose: false }
        );
      });
  }

  async openFile(path: string): Promise<void> {
    const { contents } = this._app.serviceManager;
    const root = PageConfig.getOption('serverRoot').replace(/\/+$/, '');
    const inside =
      root && path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
    try {
      await contents.get(inside, { content: false });
    } catch {
      Notification.warning(
        this.trans.__(
          'There is no %1 below the folder that JupyterLab was started in. It may have been moved, or belong to another machine.',
          path
        ),
        { autoClose: 8000 }
      );
      return;
    }
    await this._app.commands.execute('docmanager:open', { path: inside });
  }

  linkTo(path: string): string {
    const lab = URLExt.join(PageConfig.getBaseUrl(), 'lab');
    return linkTo(new URL(lab, window.location.href).href, path);
  }

  async copy(text: string): Promise<void> {
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(text);
    } else {
      Clipboard.copyToSystem(text);
    }
    Notification.success(this.trans.__('Copied.'), { autoClose: 2000 });
  }

  async insertCell(code: string): Promise<void> {
    const { commands, shell } = this._app;
    const hasNotebook = [...shell.widgets('main')].some(widget =>
      widget.hasClass('jp-NotebookPanel')
    );
    if (!hasNotebook || !commands.hasCommand('notebook:replace-selection')) {
      await this.copy(code);
      Notification.info(
        this.trans.__(
          'No notebook is open. The code was copied: paste it where you need it.'
        ),
        { autoClose: 8000 }
      );
      return;
    }
    await commands.execute('notebook:insert-cell-below');
    // The editor of the new cell is made when the notebook, which has just come to the front, has been drawn.
    await new Promise(resolve => window.setTimeout(resolve, INSERT_PAUSE));
    await commands.execute('notebook:replace-selection', { text: code });
  }

  announceChange(): void {
    this._changed.emit();
  }

  reload(): void {
    window.location.reload();
  }

  /** Follow the user's settings. */
  follow(settings: ISettingRegistry.ISettings): void {
    const read = () => {
      const composite = settings.composite as {
        pollInterval: number;
        pageSize: number;
        timeFormat: 'relative' | 'absolute';
        frameButton: boolean;
      };
      this._settings = {
        pollInterval: composite.pollInterval * 1000,
        pageSize: composite.pageSize,
        timeFormat: composite.timeFormat,
        frameButton: composite.frameButton
      };
      this._settingsChanged.emit();
    };
    settings.changed.connect(read);
    read();
  }

  private _createTab(id: string, path: string): MainAreaWidget<PageWidget> {
    const content = new PageWidget(this, path);
    const widget = new MainAreaWidget({ content, reveal: Promise.resolve() });
    widget.id = id;
    widget.toolbar.hide();
    content.pathChanged.connect(() => void this.tracker.save(widget));
    void this.tracker.add(widget);
    this._app.shell.add(widget, 'main', { type: 'Atelier' });
    return widget;
  }

  private readonly _app: JupyterFrontEnd;
  private _rooms: readonly IRoom[] = [];
  private _pages: readonly Pick<IRoom, 'resolve'>[] = [];
  private _settings: IStudioSettings = {
    pollInterval: 5000,
    pageSize: 100,
    timeFormat: 'relative',
    frameButton: true
  };
  private readonly _settingsChanged = new Signal<this, void>(this);
  private readonly _changed = new Signal<this, void>(this);
  private readonly _themeChanged = new Signal<this, void>(this);
  private readonly _roomsChanged = new Signal<this, void>(this);
}

export namespace Studio {
  export interface IOptions {
    app: JupyterFrontEnd;
    client: Client;
    trans: TranslationBundle;
    themeManager: IThemeManager | null;
    rendermime: IRenderMimeRegistry | null;
  }
}
