/** A studio for components under test: a real translator, no server. */
import { nullTranslator } from '@jupyterlab/translation';
import { ServerConnection } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';
import { RenderResult, render } from '@testing-library/react';
import * as React from 'react';

import { Client } from '../../api';
import { IStudio, StudioContext } from '../../frame';

export interface ITestStudio extends IStudio {
  opened: string[];
  changeTheme(): void;
}

export function makeStudio(): ITestStudio {
  const opened: string[] = [];
  const owner = {} as IStudio;
  const themeChanged = new Signal<IStudio, void>(owner);
  return Object.assign(owner, {
    opened,
    client: new Client({
      serverSettings: ServerConnection.makeSettings(),
      version: '1.0.0'
    }),
    trans: nullTranslator.load('jupyter_atelier'),
    rendermime: null,
    settings: {
      pollInterval: 5000,
      pageSize: 100,
      timeFormat: 'relative' as const,
      frameButton: true
    },
    settingsChanged: new Signal<IStudio, void>(owner),
    changed: new Signal<IStudio, void>(owner),
    themeChanged,
    rooms: [],
    roomsChanged: new Signal<IStudio, void>(owner),
    addRoom: () => {
      throw new Error('The test studio has no rooms.');
    },
    addPages: () => {
      throw new Error('The test studio has no pages.');
    },
    resolve: () => null,
    open: (path: string) => void opened.push(path),
    openFile: async (path: string) => void opened.push(path),
    openQuickstart: () => void opened.push('quickstart'),
    linkTo: (path: string) => path,
    copy: async () => undefined,
    announceChange: () => undefined,
    reload: () => undefined,
    changeTheme: () => themeChanged.emit()
  });
}

export function renderIn(
  studio: IStudio,
  element: React.ReactElement
): RenderResult {
  return render(
    <StudioContext.Provider value={studio}>{element}</StudioContext.Provider>
  );
}
