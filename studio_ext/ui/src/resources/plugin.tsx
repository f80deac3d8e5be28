/** Running resources: kernels, terminals, jobs and endpoints, and the idle policy. */
import {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import * as React from 'react';

import { IStudio, addEntrance, resourcesIcon } from '../frame';
import { Memory } from './Memory';
import { ResourcesPage } from './ResourcesPage';

const OPEN_TERMINAL = 'terminal:open';

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-atelier:resources',
  description: 'Running resources, what they use, and when they are stopped.',
  autoStart: true,
  requires: [IStudio],
  optional: [ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    studio: IStudio,
    palette: ICommandPalette | null
  ): void => {
    const { trans } = studio;
    const openTerminal = (name: string) =>
      void app.commands.execute(OPEN_TERMINAL, { name });
    addEntrance({
      app,
      studio,
      room: {
        section: {
          path: 'resources',
          label: trans.__('Running resources'),
          icon: resourcesIcon,
          rank: 1000,
          count: () => '',
          Count: Memory,
          isApart: true
        },
        resolve: ({ kind, names }) =>
          kind === 'resources' && names.length === 0
            ? {
                tab: 'resources',
                title: trans.__('Running resources'),
                icon: resourcesIcon,
                element: (
                  <ResourcesPage
                    openTerminal={
                      app.commands.hasCommand(OPEN_TERMINAL)
                        ? openTerminal
                        : null
                    }
                  />
                )
              }
            : null
      },
      command: 'atelier:open-resources',
      label: trans.__('Open Running Resources'),
      caption: trans.__('What runs, what it uses, and when it is stopped'),
      palette,
      launcher: null
    });
  }
};

export default plugin;
