/** The recipes that there are, and how to begin one. */
import * as React from 'react';

import type * as api from '../api/types';
import {
  Button,
  EmptyState,
  ErrorBar,
  formatCount,
  Loaded,
  PageHeader,
  Time,
  useAction
} from '../components';
import { useResource, useStudio } from '../frame';
import { createRecipe, listRecipes } from './calls';
import { askSource } from './sources';

const CODE = `import kernel_tools as kt

recipe = kt.wrangler.read("data/customers.csv")
recipe = recipe.impute(["age"], strategy="median").one_hot(["job"], max_categories=10)
recipe.save("customers.recipe.json")`;

export function RecipesPage(props: {
  openFile(path: string): void;
}): React.ReactElement {
  const { client, trans } = useStudio();
  const recipes = useResource('recipes', signal => listRecipes(client, signal));
  const action = useAction();
  const create = async () => {
    const source = await askSource(trans);
    if (source) {
      await action.run(async () => {
        const made = await createRecipe(client, {
          source: source.uri!,
          query: source.query ?? null
        });
        props.openFile(made.path);
      });
    }
  };
  return (
    <div className="atelier-PageBody">
      <PageHeader
        title={trans.__('Data')}
        actions={
          <Button
            kind="primary"
            label={trans.__('Open a table')}
            isBusy={action.isBusy}
            onClick={() => void create()}
          />
        }
      />
      <ErrorBar error={action.error} dismiss={action.dismiss} />
      <Loaded
        resource={recipes}
        failure={trans.__('The recipes could not be listed')}
        rows={8}
      >
        {data =>
          data.items.length === 0 ? (
            <EmptyState
              title={trans.__('No recipe yet')}
              text={trans.__(
                'Open a table: right-click a file and choose “Open in Data Wrangler”, or build a recipe in Python.'
              )}
              code={CODE}
              action={{
                label: trans.__('Open a table'),
                onClick: () => void create()
              }}
            />
          ) : (
            <RecipeTable items={data.items} openFile={props.openFile} />
          )
        }
      </Loaded>
    </div>
  );
}

function RecipeTable(props: {
  items: api.RecipeFile[];
  openFile(path: string): void;
}): React.ReactElement {
  const { trans } = useStudio();
  return (
    <table className="atelier-Table atelier-Recipes">
      <caption className="atelier-hidden">{trans.__('Recipes')}</caption>
      <thead>
        <tr>
          <th scope="col">{trans.__('Recipe')}</th>
          <th scope="col">{trans.__('Tables')}</th>
          <th scope="col" className="atelier-number">
            {trans.__('Steps')}
          </th>
          <th scope="col">{trans.__('Changed')}</th>
        </tr>
      </thead>
      <tbody>
        {props.items.map(item => (
          <tr key={item.path}>
            <th scope="row">
              <button
                type="button"
                className="atelier-TextButton"
                title={item.path}
                onClick={() => props.openFile(item.path)}
              >
                {item.path}
              </button>
              {item.error && (
                <div className="atelier-Field-error">{item.error}</div>
              )}
            </th>
            <td>{item.sources.join(', ')}</td>
            <td className="atelier-number">{formatCount(item.steps)}</td>
            <td>
              <Time value={item.changed_at} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
