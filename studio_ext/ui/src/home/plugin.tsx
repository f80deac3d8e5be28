/** Home: what is running, what waits for somebody, and where to go on. */
import {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import * as React from 'react';

import { IRoom, IStudio, addEntrance, homeIcon } from '../frame';
import { HomePage } from './HomePage';

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-atelier:home',
  description: 'What is running, what needs attention, and recent work.',
  autoStart: true,
  requires: [IStudio],
  optional: [ICommandPalette, ILauncher],
  activate: (
    app: JupyterFrontEnd,
    studio: IStudio,
    palette: ICommandPalette | null,
    launcher: ILauncher | null
  ): void => {
    const { trans } = studio;
    const room: IRoom = {
      section: {
        path: 'home',
        label: trans.__('Home'),
        icon: homeIcon,
        rank: 0,
        count: ({ running_runs, running_jobs }) =>
          running_runs + running_jobs > 0
            ? trans.__('%1 running', running_runs + running_jobs)
            : ''
      },
      resolve: ({ kind, names }) =>
        kind === 'home' && names.length === 0
          ? {
              tab: 'home',
              title: trans.__('Atelier'),
              icon: homeIcon,
              element: <HomePage />
            }
          : null
    };
    addEntrance({
      app,
      studio,
      room,
      command: 'atelier:open-home',
      label: trans.__('Open Home'),
      caption: trans.__('What is running, what needs you, and recent work'),
      palette,
      launcher
    });
  }
};

export default plugin;
