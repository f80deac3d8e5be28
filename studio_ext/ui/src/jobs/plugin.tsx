/** Jobs: work that goes on without the notebook, in a list, and each on a page of its own. */
import {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import * as React from 'react';

import { listNotices } from '../debugger/calls';
import { ILink, IPage, IStudio, addEntrance, jobsIcon } from '../frame';
import { JobPage } from './JobPage';
import { JobsPage } from './JobsPage';
import { Notices } from './notices';

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-atelier:jobs',
  description: 'Jobs: their state, logs, charts, resources and outputs.',
  autoStart: true,
  requires: [IStudio],
  optional: [ICommandPalette, ILauncher, ISettingRegistry],
  activate: (
    app: JupyterFrontEnd,
    studio: IStudio,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    settingRegistry: ISettingRegistry | null
  ): void => {
    const { trans } = studio;
    const notices = new Notices(studio, async since => {
      const reply = await listNotices(studio.client, since);
      return {
        now: reply.now,
        notices: reply.notices.map(notice => ({
          title: trans.__('%1 in %2', notice.rule, notice.run),
          text: notice.message,
          link: `run/${notice.run_id}/debugger`,
          isBad: notice.severity === 'error'
        }))
      };
    });
    void app.restored
      .then(() => settingRegistry?.load(plugin.id) ?? null)
      .catch(() => null)
      .then(settings => notices.begin(settings));
    const resolve = ({ kind, names }: ILink): IPage | null => {
      if (kind === 'jobs' && names.length === 0) {
        return {
          tab: 'jobs',
          title: trans.__('Jobs'),
          icon: jobsIcon,
          element: <JobsPage notices={notices} />
        };
      }
      if (kind === 'job' && names.length === 1) {
        return {
          tab: `job/${names[0]}`,
          title: names[0],
          icon: jobsIcon,
          element: <JobPage key={names[0]} name={names[0]} />
        };
      }
      return null;
    };
    addEntrance({
      app,
      studio,
      room: {
        section: {
          path: 'jobs',
          label: trans.__('Jobs'),
          icon: jobsIcon,
          rank: 30,
          count: ({ running_jobs, waiting_jobs }) =>
            running_jobs
              ? trans.__('%1 running', running_jobs)
              : waiting_jobs
                ? trans.__('%1 waiting', waiting_jobs)
                : ''
        },
        resolve
      },
      command: 'atelier:open-jobs',
      label: trans.__('Open Jobs'),
      caption: trans.__('Work that goes on without the notebook'),
      palette,
      launcher
    });
  }
};

export default plugin;
