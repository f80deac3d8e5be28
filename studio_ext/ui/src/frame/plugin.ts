/** The frame of the studio: the left panel, the tabs, the links into them and the settings. */
import {
  ILabShell,
  ILayoutRestorer,
  IRouter,
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, IThemeManager } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator } from '@jupyterlab/translation';

import { Client } from '../api';
import { atelierIcon, quickstartIcon } from './icons';
import { pathOfSearch, withoutPath } from './links';
import { PanelWidget } from './panel';
import { Studio } from './studio';
import { IStudio } from './tokens';

/** The commands of the frame; rooms add those that open them. */
export namespace CommandIDs {
  export const open = 'atelier:open';
  export const openQuickstart = 'atelier:open-quickstart';
  export const copyLink = 'atelier:copy-link';
}

const frame: JupyterFrontEndPlugin<IStudio> = {
  id: 'jupyter-atelier:frame',
  description: 'The left panel of Atelier, its tabs, links and settings.',
  autoStart: true,
  requires: [ITranslator],
  optional: [
    ILayoutRestorer,
    ILabShell,
    IRouter,
    ICommandPalette,
    ILauncher,
    ISettingRegistry,
    IThemeManager,
    IRenderMimeRegistry
  ],
  provides: IStudio,
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator,
    restorer: ILayoutRestorer | null,
    labShell: ILabShell | null,
    router: IRouter | null,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    settingRegistry: ISettingRegistry | null,
    themeManager: IThemeManager | null,
    rendermime: IRenderMimeRegistry | null
  ): IStudio => {
    const trans = translator.load('jupyter_atelier');
    const { serverSettings } = app.serviceManager;
    const client = new Client({ serverSettings });
    const studio = new Studio({
      app,
      client,
      trans,
      themeManager,
      rendermime
    });
    const category = trans.__('Atelier');

    const panel = new PanelWidget(studio);
    app.shell.add(panel, 'left', { rank: 150 });
    restorer?.add(panel, 'atelier-panel');
    labShell?.currentChanged.connect(() => {
      const { currentWidget } = studio.tracker;
      panel.currentPath =
        currentWidget && labShell.currentWidget === currentWidget
          ? currentWidget.content.path
          : '';
    });
    studio.tracker.widgetAdded.connect((_, widget) => {
      widget.content.pathChanged.connect((_, path) => {
        panel.currentPath = path;
      });
    });

    app.commands.addCommand(CommandIDs.open, {
      label: trans.__('Open a Page of Atelier'),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            path: {
              type: 'string',
              description: trans.__('What to open, such as run/<id>')
            }
          }
        }
      },
      execute: args => studio.open(String(args.path ?? 'home'))
    });
    app.commands.addCommand(CommandIDs.openQuickstart, {
      label: args =>
        args.isLauncher
          ? trans.__('Quickstart')
          : trans.__('Open the Quickstart Notebook'),
      caption: trans.__('From raw data to an endpoint in one notebook'),
      icon: quickstartIcon,
      execute: () => studio.openQuickstart()
    });
    app.commands.addCommand(CommandIDs.copyLink, {
      label: trans.__('Copy Link to This Page'),
      icon: atelierIcon,
      isEnabled: () => studio.tracker.currentWidget !== null,
      execute: () => {
        const path = studio.tracker.currentWidget?.content.path;
        return path ? studio.copy(studio.linkTo(path)) : undefined;
      }
    });
    for (const command of [CommandIDs.openQuickstart, CommandIDs.copyLink]) {
      palette?.addItem({ command, category });
    }
    launcher?.add({
      command: CommandIDs.openQuickstart,
      category,
      rank: 90,
      args: { isLauncher: true }
    });

    if (settingRegistry) {
      settingRegistry
        .load(frame.id)
        .then(settings => studio.follow(settings))
        .catch(reason => {
          console.error(
            'Atelier’s settings could not be read; its defaults are used.',
            reason
          );
        });
    }
    if (restorer) {
      void restorer.restore(studio.tracker, {
        command: CommandIDs.open,
        args: widget => ({ path: widget.content.path }),
        name: widget => widget.content.path
      });
    }
    if (router) {
      followLink(app, router, studio);
    }
    return studio;
  }
};

/** Open what `?atelier=<path>` names, once the layout is back, and take it out of the address. */
function followLink(
  app: JupyterFrontEnd,
  router: IRouter,
  studio: IStudio
): void {
  const path = pathOfSearch(router.current.search ?? '');
  if (path === null) {
    return;
  }
  void app.restored.then(() => {
    const { path: current, search, hash } = router.current;
    router.navigate(`${current}${withoutPath(search ?? '')}${hash ?? ''}`, {
      skipRouting: true
    });
    studio.open(path);
  });
}

export default frame;
