/** The page of a recipe, once its file is read and its session is there. */
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import * as React from 'react';

import { ErrorState, LoadingState } from '../components';
import { useStudio } from '../frame/context';
import { useResource } from '../frame/resource';
import { listOperators } from './calls';
import { useRecipe } from './useRecipe';
import { Workbench } from './Workbench';

export interface IRecipePageProps {
  context: DocumentRegistry.IContext<DocumentRegistry.ICodeModel>;
}

export function RecipePage(props: IRecipePageProps): React.ReactElement {
  const { client, trans } = useStudio();
  const open = useRecipe(props.context);
  const operators = useResource('operators', signal =>
    listOperators(client, signal)
  );
  const { recipe } = open;
  if (!recipe) {
    return (
      <div className="atelier-PageBody">
        <div className="atelier-State" data-state="error" role="alert">
          <h2>{trans.__('This file is no recipe')}</h2>
          <p>
            {open.error?.message ??
              trans.__(
                'It is not the JSON of a recipe. Open it with the editor, or restore an earlier version.'
              )}
          </p>
        </div>
      </div>
    );
  }
  if (open.error && open.parts.length === 0) {
    return (
      <div className="atelier-PageBody">
        <ErrorState
          title={trans.__('The recipe could not be opened')}
          error={open.error}
          retry={open.refresh}
        />
      </div>
    );
  }
  if (!open.session || !operators.data) {
    return (
      <div className="atelier-PageBody">
        <LoadingState rows={12} />
      </div>
    );
  }
  return <Workbench open={open} operators={operators.data.items} />;
}
