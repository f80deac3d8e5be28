/** The document widget of a recipe. */
import {
  ABCWidgetFactory,
  DocumentRegistry,
  DocumentWidget
} from '@jupyterlab/docregistry';
import { ReactWidget } from '@jupyterlab/ui-components';
import { Message } from '@lumino/messaging';
import { ISignal, Signal } from '@lumino/signaling';
import * as React from 'react';

import { IPageContext, PageContext, StudioContext } from '../frame/context';
import type { IStudio } from '../frame/tokens';
import { RecipePage } from './RecipePage';

type Context = DocumentRegistry.IContext<DocumentRegistry.ICodeModel>;

/** What stands in the tab. */
export class RecipeContent extends ReactWidget implements IPageContext {
  constructor(studio: IStudio, context: Context) {
    super();
    this._studio = studio;
    this._context = context;
    this.addClass('atelier-Page');
    this.addClass('atelier-RecipeWidget');
    context.ready.then(
      () => this.update(),
      () => undefined
    );
  }

  get path(): string {
    return `recipe/${this._context.path}`;
  }

  get visibilityChanged(): ISignal<this, boolean> {
    return this._visibilityChanged;
  }

  navigate(path: string): void {
    this._studio.open(path);
  }

  setTitle(): void {
    /* the tab is called as the file */
  }

  protected render(): React.ReactElement {
    return (
      <StudioContext.Provider value={this._studio}>
        <PageContext.Provider value={this}>
          {this._context.isReady && <RecipePage context={this._context} />}
        </PageContext.Provider>
      </StudioContext.Provider>
    );
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._visibilityChanged.emit(true);
  }

  protected onBeforeHide(message: Message): void {
    super.onBeforeHide(message);
    this._visibilityChanged.emit(false);
  }

  private readonly _studio: IStudio;
  private readonly _context: Context;
  private readonly _visibilityChanged = new Signal<this, boolean>(this);
}

export class RecipeWidget extends DocumentWidget<
  RecipeContent,
  DocumentRegistry.ICodeModel
> {}

export class RecipeFactory extends ABCWidgetFactory<
  RecipeWidget,
  DocumentRegistry.ICodeModel
> {
  constructor(
    options: DocumentRegistry.IWidgetFactoryOptions<RecipeWidget>,
    studio: IStudio
  ) {
    super(options);
    this._studio = studio;
  }

  protected createNewWidget(context: Context): RecipeWidget {
    const content = new RecipeContent(this._studio, context);
    return new RecipeWidget({ context, content });
  }

  private readonly _studio: IStudio;
}
