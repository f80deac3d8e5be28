/** Experiments: runs in tables, and each run on a page of its own. */
import {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import { IStateDB } from '@jupyterlab/statedb';
import * as React from 'react';

import {
  ILink,
  IPage,
  IStudio,
  addEntrance,
  experimentsIcon,
  runIcon
} from '../frame';
import { ExperimentsPage } from './ExperimentsPage';
import { RunPage } from './RunPage';
import { rememberIn } from './table/memory';
import { ComparePage } from './compare/ComparePage';
import { comparedIds } from './compare/address';

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-atelier:experiments',
  description: 'Tracked runs: tables of them, their metrics and their files.',
  autoStart: true,
  requires: [IStudio],
  optional: [ICommandPalette, ILauncher, IStateDB],
  activate: (
    app: JupyterFrontEnd,
    studio: IStudio,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    state: IStateDB | null
  ): void => {
    const { trans } = studio;
    const memory = state && rememberIn(state);
    const resolve = ({ kind, names }: ILink): IPage | null => {
      if (kind === 'experiments' && names.length <= 1) {
        return {
          tab: 'experiments',
          title: trans.__('Experiments'),
          icon: experimentsIcon,
          element: (
            <ExperimentsPage selected={names[0] ?? null} memory={memory} />
          )
        };
      }
      if (kind === 'run' && names.length >= 1) {
        return {
          tab: `run/${names[0]}`,
          title: names[0],
          icon: runIcon,
          element: <RunPage id={names[0]} tab={names[1]} />
        };
      }
      const compared = kind === 'compare' ? comparedIds(names) : null;
      if (compared) {
        return {
          tab: 'compare',
          title: trans.__('Compare runs'),
          icon: experimentsIcon,
          element: <ComparePage ids={compared} />
        };
      }
      return null;
    };
    addEntrance({
      app,
      studio,
      room: {
        section: {
          path: 'experiments',
          label: trans.__('Experiments'),
          icon: experimentsIcon,
          rank: 20,
          count: ({ experiments }) => (experiments ? String(experiments) : '')
        },
        resolve
      },
      command: 'atelier:open-experiments',
      label: trans.__('Open Experiments'),
      caption: trans.__('Runs with their parameters, metrics and files'),
      palette,
      launcher
    });
  }
};

export default plugin;
