/** The left panel: where one can go, with live counts; it shows no content of its own. */
import { ReactWidget } from '@jupyterlab/ui-components';
import { Message } from '@lumino/messaging';
import { ISignal, Signal } from '@lumino/signaling';
import * as React from 'react';

import { IPageContext, PageContext, StudioContext, useStudio } from './context';
import { atelierIcon } from './icons';
import { parsePath } from './links';
import { useResource } from './resource';
import type { IStudio } from './tokens';

/** The side-bar widget that holds the navigation. */
export class PanelWidget extends ReactWidget implements IPageContext {
  constructor(studio: IStudio) {
    super();
    this._studio = studio;
    this.id = 'atelier-panel';
    this.addClass('atelier-Panel');
    this.title.icon = atelierIcon;
    this.node.tabIndex = -1;
    this.title.caption = studio.trans.__('Atelier');
    studio.roomsChanged.connect(this.update, this);
    studio.client.staleChanged.connect(this.update, this);
  }

  readonly path = '';

  get visibilityChanged(): ISignal<this, boolean> {
    return this._visibilityChanged;
  }

  /** The path of the page in the main area, to mark its section. */
  set currentPath(path: string) {
    if (path !== this._currentPath) {
      this._currentPath = path;
      this.update();
    }
  }

  navigate(path: string): void {
    this._studio.open(path);
  }

  setTitle(): void {
    /* the panel keeps its name */
  }

  protected render(): React.ReactElement {
    return (
      <StudioContext.Provider value={this._studio}>
        <PageContext.Provider value={this}>
          <Navigation currentPath={this._currentPath} />
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
    this.node.focus();
  }

  private readonly _studio: IStudio;
  private readonly _visibilityChanged = new Signal<this, boolean>(this);
  private _currentPath = '';
}

function Navigation(props: { currentPath: string }): React.ReactElement {
  const studio = useStudio();
  const { trans } = studio;
  const home = useResource('panel', signal => studio.client.home(signal));
  const link = parsePath(props.currentPath);
  const current = studio.rooms.find(room => link && room.resolve(link));
  return (
    <nav aria-label={trans.__('Atelier')} className="atelier-Navigation">
      <h2 className="atelier-Navigation-title">{trans.__('Atelier')}</h2>
      <ul>
        {studio.rooms.map(room => {
          const { section } = room;
          const count = home.data ? section.count(home.data.counts) : '';
          return (
            <li key={section.path} data-apart={section.isApart || undefined}>
              <button
                type="button"
                className="atelier-Navigation-item"
                aria-current={room === current ? 'page' : undefined}
                data-path={section.path}
                onClick={() => studio.open(section.path)}
              >
                <section.icon.react
                  tag="span"
                  className="atelier-Navigation-icon"
                  width="18px"
                  aria-hidden
                />
                <span className="atelier-ellipsis" title={section.label}>
                  {section.label}
                </span>
                <span className="atelier-Navigation-count">
                  {section.Count ? <section.Count /> : count}
                </span>
              </button>
            </li>
          );
        })}
      </ul>
      {home.error && (
        <div className="atelier-Navigation-error" role="status">
          {home.error.message}
        </div>
      )}
    </nav>
  );
}
