// The Data Wrangler in a notebook: a table as a grid below its cell, and a displayed frame opened in the studio.
import { expect, inspect, test } from './studio';

const CELLS = [
  "import pandas as pd, kernel_tools as kt\npeople = pd.DataFrame({'age': [39, None, 38], 'job': ['clerk', 'cook', 'clerk']})\nkt.wrangler.show(people, label='People')",
  'people'
];

test('a frame is shown as a grid, and opened in the studio', async ({
  page,
  baseURL
}) => {
  await page.goto('');
  const reply = await page.request.put(`${baseURL}/api/contents/frames.ipynb`, {
    data: {
      type: 'notebook',
      content: {
        nbformat: 4,
        nbformat_minor: 5,
        metadata: {
          kernelspec: { name: 'python3', display_name: 'Python 3' }
        },
        cells: CELLS.map((source, place) => ({
          id: `cell-${place}`,
          cell_type: 'code',
          metadata: {},
          execution_count: null,
          outputs: [],
          source
        }))
      }
    }
  });
  expect(reply.ok()).toBe(true);
  await page.evaluate(() =>
    window.jupyterapp.commands
      .execute('docmanager:open', { path: 'frames.ipynb', factory: 'Notebook' })
      .then(() => null)
  );
  const notebook = page.locator('.jp-NotebookPanel:visible');
  await expect(page.getByText(/\| Idle$/)).toBeVisible();
  await page.evaluate(() =>
    window.jupyterapp.commands
      .execute('notebook:run-all-cells')
      .then(() => null)
  );
  await expect(notebook.getByText('People: 3 rows, 2 columns')).toBeVisible();
  const canvas = notebook.locator('.atelier-Rows-canvas');
  await expect(canvas).toBeVisible();
  const box = (await canvas.boundingBox())!;
  await page.mouse.click(box.x + 130, box.y + 12);
  await page.getByRole('menuitem', { name: 'Sort ascending' }).click();
  await expect(notebook.getByRole('button', { name: /▲ age/ })).toBeVisible();
  await notebook.getByRole('button', { name: 'Columns' }).click();
  const columns = notebook.getByRole('dialog', { name: 'Columns' });
  await columns.getByRole('checkbox', { name: /job/ }).uncheck();
  await expect(
    notebook.getByRole('button', { name: 'Columns (1 hidden)' })
  ).toBeVisible();
  await columns.getByRole('button', { name: 'Close' }).click();
  await notebook.getByRole('button', { name: 'View as table' }).click();
  const rows = notebook.getByRole('table').filter({ hasText: 'Rows 1 to 3' });
  await expect(rows.getByRole('row').nth(1)).toHaveText('38');
  await inspect(page, 'wrangler-notebook');

  await notebook.getByRole('button', { name: 'Open in Data Wrangler' }).click();
  const recipe = page.locator('.atelier-Page:visible');
  await expect(recipe.getByRole('heading', { name: 'people' })).toBeVisible();
  await expect(recipe.getByRole('navigation', { name: 'Steps' })).toContainText(
    '3 rows × 2'
  );
});
