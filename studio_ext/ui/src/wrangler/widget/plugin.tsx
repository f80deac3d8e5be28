/** `kernel_tools.wrangler.show(df)`: the grid below a cell, in JupyterLab and in Voila. */
import {
  DOMWidgetModel,
  DOMWidgetView,
  IJupyterWidgetRegistry
} from '@jupyter-widgets/base';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import * as React from 'react';
import { createRoot, Root } from 'react-dom/client';

import { StudioContext } from '../../frame/context';
import type { IStudio } from '../../frame/tokens';
import { PLAIN_LAYOUT } from '../grid/layout';
import type { IGridColumn } from '../grid/model';
import { RecipeGrid } from '../RecipeGrid';
import { KernelBackend } from './kernelBackend';

const MODULE = 'jupyter-atelier';
const VERSION = '1.0.0';

class FrameModel extends DOMWidgetModel {
  defaults() {
    return {
      ...super.defaults(),
      _model_name: 'FrameModel',
      _model_module: MODULE,
      _model_module_version: VERSION,
      _view_name: 'FrameView',
      _view_module: MODULE,
      _view_module_version: VERSION,
      view: '',
      rows: 0,
      columns: [],
      label: ''
    };
  }
}

/** What of the studio the grid needs, where there may be no studio around it. */
function surroundings(translator: ITranslator): IStudio {
  const anchor = {};
  return {
    trans: translator.load('jupyter_atelier'),
    themeChanged: new Signal(anchor),
    announceChange: () => undefined,
    reload: () => undefined
  } as unknown as IStudio;
}

/** The grid with a layout of its own. */
function FrameGrid(
  props: Omit<React.ComponentProps<typeof RecipeGrid>, 'layout' | 'onLayout'>
): React.ReactElement {
  const [layout, setLayout] = React.useState(PLAIN_LAYOUT);
  return <RecipeGrid {...props} layout={layout} onLayout={setLayout} />;
}

function viewClass(studio: IStudio): typeof DOMWidgetView {
  return class FrameView extends DOMWidgetView {
    render(): void {
      super.render();
      this.el.classList.add('atelier-FrameWidget', 'atelier-RecipeWidget');
      const backend = (this._backend = new KernelBackend(
        this.model as FrameModel,
        studio.trans
      ));
      const view = {
        view: this.model.get('view') as string,
        rows: this.model.get('rows') as number
      };
      const columns = this.model.get('columns') as IGridColumn[];
      this._root = createRoot(this.el);
      this._root.render(
        <StudioContext.Provider value={studio}>
          <FrameGrid
            backend={backend}
            view={view}
            columns={columns}
            before={null}
            isWhole
            note={(this.model.get('label') as string) || undefined}
          />
        </StudioContext.Provider>
      );
    }

    remove(): this {
      this._root?.unmount();
      this._backend?.dispose();
      return super.remove() as this;
    }

    private _root: Root | null = null;
    private _backend: KernelBackend | null = null;
  } as unknown as typeof DOMWidgetView;
}

const plugin = {
  id: 'jupyter-atelier:frame-widget',
  description: 'Shows tables of a notebook in the grid of the Data Wrangler.',
  autoStart: true,
  requires: [IJupyterWidgetRegistry],
  optional: [ITranslator],
  activate: (
    _app: unknown,
    registry: IJupyterWidgetRegistry,
    translator: ITranslator | null
  ): void => {
    const studio = surroundings(translator ?? nullTranslator);
    registry.registerWidget({
      name: MODULE,
      version: VERSION,
      exports: { FrameModel, FrameView: viewClass(studio) }
    });
  }
};

export default plugin;
