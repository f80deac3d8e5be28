// The Data Wrangler: a table opened, looked at, changed step by step, against a real server and its processes.
import type { Page } from '@playwright/test';

import { expect, inspect, openLink, settled, test } from './studio';

const PEOPLE = [
  'name,age,job,city',
  'Ada,39,clerk,Ulm',
  'Ben,,cook,Kiel',
  'Cleo,38,clerk,',
  'Dora,53,,Ulm',
  'Eve,28,chef,Bonn'
].join('\n');

/** Put a file into the folder that the server was started in. */
async function put(
  page: Page,
  baseURL: string | undefined,
  path: string,
  content: string
): Promise<void> {
  const reply = await page.request.put(`${baseURL}/api/contents/${path}`, {
    data: { type: 'file', format: 'text', content }
  });
  expect(reply.ok()).toBe(true);
}

test('a table is opened from the file browser, and steps are added with a look at what they change', async ({
  page,
  baseURL
}) => {
  await page.goto('');
  await put(page, baseURL, 'people.csv', PEOPLE);
  await page.evaluate(() =>
    window.jupyterapp.commands.execute('atelier:wrangle-file', {
      path: 'people.csv'
    })
  );
  const tab = page.locator('.atelier-Page:visible');
  await expect(tab.getByRole('heading', { name: 'people' })).toBeVisible();
  const steps = tab.getByRole('navigation', { name: 'Steps' });
  await expect(steps).toContainText('5 rows × 4');
  await settled(tab);
  await inspect(page, 'wrangler-table');

  const canvas = tab.locator('.atelier-Rows-canvas');
  const box = (await canvas.boundingBox())!;
  await page.mouse.click(box.x + 130, box.y + 12);
  await page.getByRole('menuitem', { name: 'Sort descending' }).click();
  await expect(tab.getByRole('button', { name: /▼ name/ })).toBeVisible();
  await tab.getByRole('button', { name: 'View as table' }).click();
  const plain = tab.getByRole('table').filter({ hasText: 'Rows 1 to 5 of 5' });
  await expect(plain.getByRole('row').nth(1)).toContainText('Eve');
  await tab.getByRole('button', { name: 'View as table' }).click();

  await steps.getByRole('button', { name: 'Add step' }).click();
  await tab.getByRole('searchbox', { name: 'Search steps' }).fill('impute');
  await inspect(page, 'wrangler-operators');
  await tab
    .getByRole('button', { name: /^Impute/ })
    .first()
    .click();
  const form = tab.getByRole('form');
  await form.getByRole('checkbox', { name: /age/ }).check();
  await expect(form).toContainText('age: 1 value changes');
  await inspect(page, 'wrangler-form');
  await form.getByRole('button', { name: 'Apply' }).click();
  await expect(steps).toContainText('Fill missing values of age');
  await tab.getByRole('button', { name: 'Fit', exact: true }).click();
  await expect(steps).toContainText('· fitted');
  await inspect(page, 'wrangler-steps');

  await tab.getByRole('button', { name: 'Undo' }).click();
  await expect(steps).toContainText('not fitted');
  await tab.getByRole('tab', { name: 'Code' }).click();
  await expect(tab).toContainText("recipe.impute(columns=['age']");
  await inspect(page, 'wrangler-code');

  await tab.getByRole('tab', { name: 'Insights' }).click();
  await tab.getByRole('button', { name: 'Look for problems' }).click();
  const missing = tab.getByRole('listitem').filter({ hasText: 'job has no' });
  await expect(missing).toBeVisible();
  await inspect(page, 'wrangler-insights');
  await missing
    .getByRole('button', { name: /^Apply/ })
    .first()
    .click();
  await expect(form.getByRole('button', { name: 'Apply' })).toBeEnabled();
  await form.getByRole('button', { name: 'Cancel' }).click();

  await tab.getByRole('tab', { name: 'Analyses' }).click();
  await tab
    .getByRole('combobox', { name: 'Column', exact: true })
    .selectOption('age');
  await tab.getByRole('button', { name: 'Draw' }).click();
  await expect(tab).toContainText('All 5 rows');
  await inspect(page, 'wrangler-analyses');

  await tab.getByRole('tab', { name: 'Flow' }).click();
  await inspect(page, 'wrangler-flow');
});

test('a broken step and code of others are told, and recipes are listed', async ({
  page,
  baseURL
}) => {
  await page.goto('');
  await put(page, baseURL, 'people.csv', PEOPLE);
  const step = (id: string, input: string, op: string, params: object) => ({
    id,
    op,
    inputs: [input],
    params
  });
  await put(
    page,
    baseURL,
    'odd.recipe.json',
    JSON.stringify({
      recipe_version: 1,
      name: 'odd',
      sources: [{ id: 's1', uri: 'people.csv' }],
      nodes: [
        step('n1', 's1', 'drop', { columns: ['agee'] }),
        step('n2', 'n1', 'custom_pandas', { source: 'df["x"] = 1' })
      ]
    })
  );
  await page.evaluate(async () => {
    await window.jupyterapp.commands.execute('docmanager:open', {
      path: 'odd.recipe.json'
    });
  });
  const tab = page.locator('.atelier-Page:visible');
  const steps = tab.getByRole('navigation', { name: 'Steps' });
  await expect(steps).toContainText('Does not fit');
  await expect(tab.getByRole('alert').first()).toContainText('trust');
  await steps.getByRole('button', { name: /^Drop columns/ }).click();
  await expect(tab).toContainText("Did you mean 'age'?");
  await inspect(page, 'wrangler-broken');

  const list = await openLink(page, 'data');
  await expect(
    list.getByRole('row', { name: /odd\.recipe\.json/ })
  ).toBeVisible();
  await inspect(page, 'wrangler-recipes');
});

test('a table says what did not fit, is joined with another, and the recipe is taken along', async ({
  page,
  baseURL
}) => {
  await page.goto('');
  await put(page, baseURL, 'people.csv', `${PEOPLE}\nFlo,33\n`);
  await put(page, baseURL, 'cities.csv', 'city,land\nUlm,BW\nKiel,SH\n');
  await put(
    page,
    baseURL,
    'joined.recipe.json',
    JSON.stringify({
      recipe_version: 1,
      name: 'joined',
      sources: [
        { id: 's1', uri: 'people.csv', name: 'people' },
        { id: 's2', uri: 'cities.csv', name: 'cities' }
      ],
      nodes: []
    })
  );
  await page.evaluate(async () => {
    await window.jupyterapp.commands.execute('docmanager:open', {
      path: 'joined.recipe.json'
    });
  });
  const tab = page.locator('.atelier-Page:visible');
  const steps = tab.getByRole('navigation', { name: 'Steps' });
  await steps.getByRole('button', { name: /^people/ }).dblclick();
  const table = tab.getByRole('form', { name: 'Table' });
  await expect(table).toContainText('1 row could not be read');
  await expect(table).toContainText('Flo,33');
  await table
    .getByRole('combobox', { name: 'Type of age' })
    .selectOption('text');
  await table.getByRole('button', { name: 'Save' }).click();
  await expect(
    table.getByRole('combobox', { name: 'Type of age' })
  ).toHaveValue('text');
  await inspect(page, 'wrangler-source');
  await table.getByRole('button', { name: 'Close' }).click();
  await tab.getByRole('button', { name: 'Undo' }).click();
  await expect(
    tab.getByRole('region', { name: 'Suggested next steps' })
  ).toContainText('Missing values');
  await inspect(page, 'wrangler-suggestions');

  await steps.getByRole('button', { name: 'Add step' }).click();
  await tab.getByRole('searchbox', { name: 'Search steps' }).fill('join');
  await tab.getByRole('button', { name: /^Join/ }).first().click();
  const form = tab.getByRole('form');
  await expect(
    form.getByRole('combobox', { name: 'Second table' })
  ).toHaveValue('s2');
  await form.getByRole('checkbox', { name: /city/ }).check();
  await expect(form.getByRole('button', { name: 'Apply' })).toBeEnabled();
  await inspect(page, 'wrangler-join');
  await form.getByRole('button', { name: 'Apply' }).click();
  await expect(steps).toContainText('Join (inner)');

  await tab.getByRole('button', { name: 'Settings' }).click();
  const recipe = tab.getByRole('form', { name: 'Recipe' });
  await recipe.getByRole('button', { name: 'Add a parameter' }).click();
  await inspect(page, 'wrangler-settings');
  await recipe.getByRole('button', { name: 'Save' }).click();

  await tab.getByRole('button', { name: 'Export' }).click();
  await page.getByRole('menuitem', { name: 'Notebook …' }).click();
  await page.getByRole('button', { name: 'Write' }).click();
  await expect
    .poll(async () =>
      (
        await page.request.get(`${baseURL}/api/contents/joined.ipynb?content=0`)
      ).status()
    )
    .toBe(200);
});
