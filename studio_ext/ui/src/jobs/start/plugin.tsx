/** Run as job: from the notebook's toolbar, the file browser and the palette. */
import {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import * as React from 'react';

import { IStudio, formatPath, jobsIcon } from '../../frame';
import { SchedulesPage } from '../schedules/SchedulesPage';
import { StartPage } from './StartPage';
import { fileToRun, saveIfChanged } from './runAsJob';

const RUN_AS_JOB = 'atelier:run-as-job';
const OPEN_SCHEDULES = 'atelier:open-schedules';

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-atelier:start',
  description: 'Run a notebook or script as a job, now or by a schedule.',
  autoStart: true,
  requires: [IStudio],
  optional: [
    ICommandPalette,
    IDocumentManager,
    IDefaultFileBrowser,
    ISettingRegistry
  ],
  activate: (
    app: JupyterFrontEnd,
    studio: IStudio,
    palette: ICommandPalette | null,
    documents: IDocumentManager | null,
    browser: IDefaultFileBrowser | null,
    settingRegistry: ISettingRegistry | null
  ): void => {
    const { trans } = studio;
    const options = { app, documents, browser };
    const category = trans.__('Atelier');
    // Loads the toolbar's button and the entry of the context menu, which the settings declare.
    void settingRegistry?.load(plugin.id).catch(reason => {
      console.error('“Run as job” is in the palette only.', reason);
    });

    studio.addPages(({ kind, names }) => {
      if (kind === 'run-as-job' && names.length > 0) {
        const path = names.join('/');
        return {
          tab: formatPath(kind, path),
          title: trans.__('Run as job'),
          icon: jobsIcon,
          element: (
            <StartPage
              path={path}
              save={file => saveIfChanged(options, file)}
            />
          )
        };
      }
      if (kind === 'schedules' && names.length === 0) {
        return {
          tab: 'schedules',
          title: trans.__('Schedules'),
          icon: jobsIcon,
          element: <SchedulesPage />
        };
      }
      return null;
    });
    app.commands.addCommand(RUN_AS_JOB, {
      label: trans.__('Run as Job…'),
      caption: trans.__(
        'Run this notebook or script as a job, now or by a schedule'
      ),
      icon: jobsIcon,
      isEnabled: args => fileToRun(options, args) !== null,
      describedBy: {
        args: {
          type: 'object',
          properties: {
            path: {
              type: 'string',
              description: trans.__('The notebook or script to run')
            },
            isInBrowser: {
              type: 'boolean',
              description: trans.__(
                'Whether it is what the file browser has selected'
              )
            }
          }
        }
      },
      execute: async args => {
        const path = fileToRun(options, args);
        if (path !== null) {
          await saveIfChanged(options, path);
          studio.open(formatPath('run-as-job', path));
        }
      }
    });
    app.commands.addCommand(OPEN_SCHEDULES, {
      label: trans.__('Open Schedules'),
      caption: trans.__('Jobs that are submitted again and again'),
      icon: jobsIcon,
      execute: () => studio.open('schedules')
    });
    const follow = () => app.commands.notifyCommandChanged(RUN_AS_JOB);
    (app.shell as JupyterFrontEnd.IShell).currentChanged?.connect(follow);
    for (const command of [RUN_AS_JOB, OPEN_SCHEDULES]) {
      palette?.addItem({ command, category });
    }
  }
};

export default plugin;
