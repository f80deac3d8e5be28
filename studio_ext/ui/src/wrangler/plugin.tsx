/** The Data Wrangler: recipes as documents, and the ways to open a table. */
import {
  ILayoutRestorer,
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, WidgetTracker } from '@jupyterlab/apputils';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker } from '@jupyterlab/notebook';
import { Notification } from '@jupyterlab/apputils';
import * as React from 'react';

import { ApiError } from '../api';
import { IStudio, addEntrance, wranglerIcon } from '../frame';
import { createRecipe, listRecipes } from './calls';
import { addFrameButtons } from './frames';
import { RecipesPage } from './RecipesPage';
import { RecipeFactory, RecipeWidget } from './RecipeWidget';

const FACTORY = 'Data Wrangler';
const FILE_TYPE = 'atelier-recipe';
const OPEN_TABLE = 'atelier:wrangle-file';

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-atelier:wrangler',
  description: 'Recipes of steps on tables, and what is wrong with the data.',
  autoStart: true,
  requires: [IStudio],
  optional: [
    ICommandPalette,
    ILauncher,
    IFileBrowserFactory,
    ILayoutRestorer,
    INotebookTracker
  ],
  activate: (
    app: JupyterFrontEnd,
    studio: IStudio,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    browser: IFileBrowserFactory | null,
    restorer: ILayoutRestorer | null,
    notebooks: INotebookTracker | null
  ): void => {
    const { trans } = studio;
    const { commands, docRegistry } = app;
    docRegistry.addFileType({
      name: FILE_TYPE,
      displayName: trans.__('Recipe'),
      extensions: ['.recipe.json'],
      mimeTypes: ['application/json'],
      fileFormat: 'text',
      contentType: 'file',
      icon: wranglerIcon
    });
    const factory = new RecipeFactory(
      {
        name: FACTORY,
        label: trans.__('Data Wrangler'),
        modelName: 'text',
        fileTypes: [FILE_TYPE],
        defaultFor: [FILE_TYPE]
      },
      studio
    );
    docRegistry.addWidgetFactory(factory);
    const tracker = new WidgetTracker<RecipeWidget>({
      namespace: 'atelier-recipe'
    });
    factory.widgetCreated.connect((_, widget) => {
      widget.title.icon = wranglerIcon;
      widget.context.pathChanged.connect(() => void tracker.save(widget));
      void tracker.add(widget);
    });
    if (restorer) {
      void restorer.restore(tracker, {
        command: 'docmanager:open',
        args: widget => ({ path: widget.context.path, factory: FACTORY }),
        name: widget => widget.context.path
      });
    }

    if (notebooks) {
      addFrameButtons(app, studio, notebooks);
    }
    const openFile = (path: string) =>
      void commands.execute('docmanager:open', { path });
    addEntrance({
      app,
      studio,
      room: {
        section: {
          path: 'data',
          label: trans.__('Data'),
          icon: wranglerIcon,
          rank: 5,
          count: () => ''
        },
        resolve: ({ kind, names }) =>
          kind === 'data' && names.length === 0
            ? {
                tab: 'data',
                title: trans.__('Data'),
                icon: wranglerIcon,
                element: <RecipesPage openFile={openFile} />
              }
            : null
      },
      command: 'atelier:open-data',
      label: trans.__('Open Data'),
      caption: trans.__('Tables, recipes, and what is wrong with the data'),
      palette,
      launcher
    });

    let extensions: Set<string> | null = null;
    const isTable = (path: string) =>
      extensions !== null &&
      [...extensions].some(end => path.toLowerCase().endsWith(end));
    void listRecipes(studio.client)
      .then(({ formats }) => {
        extensions = new Set(formats);
      })
      .catch(() => undefined);
    const selected = () => {
      const item = browser?.tracker.currentWidget?.selectedItems().next();
      return item && !item.done ? item.value : null;
    };
    commands.addCommand(OPEN_TABLE, {
      label: trans.__('Open in Data Wrangler'),
      icon: wranglerIcon,
      isVisible: args => {
        const item = selected();
        return Boolean(args.path) || (item !== null && isTable(item.path));
      },
      describedBy: {
        args: {
          type: 'object',
          properties: {
            path: {
              type: 'string',
              description: trans.__('The file of the table')
            }
          }
        }
      },
      execute: async args => {
        const path = String(args.path ?? selected()?.path ?? '');
        try {
          const made = await createRecipe(studio.client, { source: path });
          await commands.execute('docmanager:open', { path: made.path });
        } catch (failure) {
          Notification.error(ApiError.of(failure).message, {
            autoClose: false
          });
        }
      }
    });
    app.contextMenu.addItem({
      command: OPEN_TABLE,
      selector: '.jp-DirListing-item[data-isdir="false"]',
      rank: 3
    });
  }
};

export default plugin;
