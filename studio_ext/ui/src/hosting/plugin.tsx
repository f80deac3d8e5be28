/** Endpoints: models that answer over HTTP. */
import {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import * as React from 'react';

import { ILink, IPage, IStudio, addEntrance, endpointsIcon } from '../frame';
import { BatchTransformsPage } from './BatchTransformsPage';
import { EndpointPage } from './EndpointPage';
import { EndpointsPage } from './EndpointsPage';

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-atelier:hosting',
  description: 'Endpoints: their state, a way to try them, and their log.',
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
    const resolve = ({ kind, names }: ILink): IPage | null => {
      if (kind === 'endpoints' && names.length === 0) {
        return {
          tab: 'endpoints',
          title: trans.__('Endpoints'),
          icon: endpointsIcon,
          element: <EndpointsPage />
        };
      }
      if (kind === 'batch-transforms' && names.length === 0) {
        return {
          tab: 'batch-transforms',
          title: trans.__('Batch transforms'),
          icon: endpointsIcon,
          element: <BatchTransformsPage />
        };
      }
      if (kind === 'endpoint' && names.length === 1) {
        return {
          tab: `endpoint/${names[0]}`,
          title: names[0],
          icon: endpointsIcon,
          element: <EndpointPage name={names[0]} />
        };
      }
      return null;
    };
    addEntrance({
      app,
      studio,
      room: {
        section: {
          path: 'endpoints',
          label: trans.__('Endpoints'),
          icon: endpointsIcon,
          rank: 50,
          count: ({ endpoints, endpoints_in_service }) =>
            endpoints > 0 ? trans.__('%1 up', endpoints_in_service) : ''
        },
        resolve
      },
      command: 'atelier:open-endpoints',
      label: trans.__('Open Endpoints'),
      caption: trans.__('Models that answer over HTTP'),
      palette,
      launcher
    });
  }
};

export default plugin;
