/** The main-area tab that shows one page, and survives a reload. */
import { ReactWidget } from '@jupyterlab/ui-components';
import { Message } from '@lumino/messaging';
import { ISignal, Signal } from '@lumino/signaling';
import * as React from 'react';

import { EmptyState, StaleState } from '../components/State';
import { Boundary } from './boundary';
import { IPageContext, PageContext, StudioContext } from './context';
import type { IStudio } from './tokens';

/** The content of a tab: what its path names. */
export class PageWidget extends ReactWidget implements IPageContext {
  constructor(studio: IStudio, path: string) {
    super();
    this._studio = studio;
    this._path = path;
    this.addClass('atelier-Page');
    this.title.closable = true;
    this.node.tabIndex = -1;
    this._applyPath();
    studio.roomsChanged.connect(this._applyPath, this);
    studio.settingsChanged.connect(this.update, this);
    studio.client.staleChanged.connect(this.update, this);
  }

  get path(): string {
    return this._path;
  }

  /** Emitted when the page comes into sight or goes out of it. */
  get visibilityChanged(): ISignal<this, boolean> {
    return this._visibilityChanged;
  }

  /** Emitted after another page of the same tab was shown. */
  get pathChanged(): ISignal<this, string> {
    return this._pathChanged;
  }

  navigate(path: string): void {
    if (path === this._path) {
      return;
    }
    this._path = path;
    this._applyPath();
    this._pathChanged.emit(path);
  }

  setTitle(title: string): void {
    this.title.label = title;
    this.title.caption = title;
  }

  dispose(): void {
    if (!this.isDisposed) {
      Signal.clearData(this);
      super.dispose();
    }
  }

  protected render(): React.ReactElement {
    const { client, trans } = this._studio;
    const page = this._studio.resolve(this._path);
    let content: React.ReactElement;
    if (client.serverVersion) {
      content = <StaleState version={client.serverVersion} />;
    } else if (page) {
      content = page.element;
    } else {
      content = (
        <EmptyState
          title={trans.__('There is no such page')}
          text={trans.__(
            '“%1” does not name anything in Atelier. It may come from another version.',
            this._path
          )}
          action={{
            label: trans.__('Open Home'),
            onClick: () => this._studio.open('home')
          }}
        />
      );
    }
    return (
      <StudioContext.Provider value={this._studio}>
        <PageContext.Provider value={this}>
          <Boundary key={page?.tab} trans={trans}>
            {content}
          </Boundary>
        </PageContext.Provider>
      </StudioContext.Provider>
    );
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._visibilityChanged.emit(true);
  }

  protected onBeforeHide(message: Message): void {
    super.onBeforeHide(message);
    this._visibilityChanged.emit(false);
  }

  protected onActivateRequest(): void {
    this.node.focus({ preventScroll: true });
  }

  private _applyPath(): void {
    const page = this._studio.resolve(this._path);
    this.title.icon = page?.icon;
    this.setTitle(page?.title ?? this._path);
    this.update();
  }

  private readonly _studio: IStudio;
  private readonly _visibilityChanged = new Signal<this, boolean>(this);
  private readonly _pathChanged = new Signal<this, string>(this);
  private _path: string;
}
