/** Models: registered versions, the decision on each of them, and the way to an endpoint. */
import {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import * as React from 'react';

import { ILink, IPage, IStudio, addEntrance, modelsIcon } from '../frame';
import { ComparePage } from './ComparePage';
import { ModelsPage } from './ModelsPage';
import { VersionPage } from './VersionPage';
import { formatVersions, parseVersions } from './versionKeys';

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-atelier:registry',
  description: 'Registered model versions and their approval.',
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
      const isList = kind === 'models' && names.length === 0;
      if (isList || (kind === 'model' && names.length === 1)) {
        return {
          tab: 'models',
          title: trans.__('Models'),
          icon: modelsIcon,
          element: <ModelsPage selected={names[0] ?? null} />
        };
      }
      const version = Number(names[1]);
      if (kind === 'model' && names.length === 2 && version > 0) {
        return {
          tab: `model/${names[0]}/${version}`,
          title: `${names[0]} ${version}`,
          icon: modelsIcon,
          element: <VersionPage model={names[0]} version={version} />
        };
      }
      if (kind === 'compare-versions' && names.length === 1) {
        const versions = parseVersions(names[0]);
        return versions.length > 0
          ? {
              tab: `compare-versions/${formatVersions(versions)}`,
              title: trans.__('Compare versions'),
              icon: modelsIcon,
              element: <ComparePage versions={versions} />
            }
          : null;
      }
      return null;
    };
    addEntrance({
      app,
      studio,
      room: {
        section: {
          path: 'models',
          label: trans.__('Models'),
          icon: modelsIcon,
          rank: 40,
          count: counts =>
            counts.pending_versions > 0
              ? trans.__('%1 waiting', counts.pending_versions)
              : counts.models
                ? String(counts.models)
                : ''
        },
        resolve
      },
      command: 'atelier:open-models',
      label: trans.__('Open Models'),
      caption: trans.__('Model versions and their approval'),
      palette,
      launcher
    });
  }
};

export default plugin;
