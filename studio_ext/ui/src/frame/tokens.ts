/** What the frame offers to the rooms, and what a room gives to the frame. */
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { TranslationBundle } from '@jupyterlab/translation';
import { LabIcon } from '@jupyterlab/ui-components';
import { Token } from '@lumino/coreutils';
import { IDisposable } from '@lumino/disposable';
import { ISignal } from '@lumino/signaling';
import type { ComponentType, ReactElement } from 'react';

import type { Client, HomeCounts } from '../api';
import type { ILink } from './links';

/** The settings that a user can change in the settings editor. */
export interface IStudioSettings {
  /** Milliseconds between two questions to the server. */
  pollInterval: number;
  /** Rows that a table fetches at a time. */
  pageSize: number;
  timeFormat: 'relative' | 'absolute';
  /** Whether frames in notebooks have a button that opens them in the Data Wrangler. */
  frameButton: boolean;
}

/** One line of the left panel. */
export interface ISection {
  path: string;
  label: string;
  icon: LabIcon;
  rank: number;
  /** The live count beside the label, in words; empty for none. */
  count(counts: HomeCounts): string;
  /** The live count of a section that asks the server for it itself. */
  Count?: ComponentType;
  /** Whether a line stands above, because it is no capability. */
  isApart?: boolean;
}

/** One page of a room, as a main-area tab shows it. */
export interface IPage {
  /** Pages with the same tab share one main-area tab, such as a list and the item selected in it. */
  tab: string;
  title: string;
  icon: LabIcon;
  element: ReactElement;
}

/** A capability in the studio. */
export interface IRoom {
  section: ISection;
  /** The page that a link names; null if it is not one of this room. */
  resolve(link: ILink): IPage | null;
}

/** What every room and page works with. */
export interface IStudio {
  readonly client: Client;
  readonly trans: TranslationBundle;
  /** Draws Markdown and the outputs of notebooks; null in a JupyterLab without it. */
  readonly rendermime: IRenderMimeRegistry | null;
  readonly settings: IStudioSettings;
  readonly settingsChanged: ISignal<IStudio, void>;
  /** Emitted after something was changed from here, so that every view in sight asks again. */
  readonly changed: ISignal<IStudio, void>;
  readonly themeChanged: ISignal<IStudio, void>;
  readonly rooms: readonly IRoom[];
  readonly roomsChanged: ISignal<IStudio, void>;
  addRoom(room: IRoom): IDisposable;
  /** Add pages that have no line in the left panel. */
  addPages(resolve: (link: ILink) => IPage | null): IDisposable;
  resolve(path: string): IPage | null;
  /** Open the page that a path names, or focus it if it is open. */
  open(path: string): void;
  openQuickstart(): void;
  /** Open a file in JupyterLab, or say that it is not within its reach. */
  openFile(path: string): Promise<void>;
  /** The full address that opens a page. */
  linkTo(path: string): string;
  copy(text: string): Promise<void>;
  /** Put code into a new cell of the notebook that was used last; without one it is copied instead. */
  insertCell(code: string): Promise<void>;
  announceChange(): void;
  reload(): void;
}

export const IStudio = new Token<IStudio>(
  'jupyter-atelier:IStudio',
  'The frame of Atelier: its client, settings, rooms and pages.'
);
