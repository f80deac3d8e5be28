// What the runs table does beyond listing: completion, groups, branches, columns, views, changes of many runs, live rows.
import { expect, fail, inspect, openLink, settled, test } from './studio';
import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import type { Locator } from '@playwright/test';

async function openTable(
  page: IJupyterLabPageFixture,
  experiment: string
): Promise<{ tab: Locator; grid: Locator }> {
  const tab = await openLink(page, `experiments/${experiment}`);
  const grid = tab.locator('.atelier-Runs .atelier-List');
  await expect(grid.locator('.atelier-List-row').first()).toBeVisible();
  await settled(tab);
  return { tab, grid };
}

test('the filter box completes fields, operators and values', async ({
  page
}) => {
  const { tab, grid } = await openTable(page, 'census-income');
  const box = tab.getByRole('combobox', { name: 'Filter runs' });
  await box.pressSequentially('params.max');
  const list = tab.getByRole('listbox', { name: 'Completions' });
  await expect(list.getByRole('option').first()).toContainText(
    'params.max_depth'
  );
  await inspect(page, 'table-completion');
  await box.press('Tab');
  await expect(box).toHaveValue('params.max_depth ');
  await box.press('ArrowDown');
  await box.press('Enter');
  await expect(box).toHaveValue('params.max_depth = ');
  await box.pressSequentially("'6");
  await box.press('Tab');
  await expect(box).toHaveValue("params.max_depth = '6' ");
  await box.press('Escape');
  await expect(list).toBeHidden();
  await box.press('Enter');
  await expect(tab.getByRole('toolbar').getByRole('status')).toHaveText(
    /^[1-9]\d runs$/
  );
  await expect(grid.locator('.atelier-List-row').nth(3)).toBeVisible();
  await box.fill('metrics.auc > > 3');
  await box.press('Enter');
  await expect(tab.locator('.atelier-Filter-place mark')).toHaveText('>');
});

test('runs are grouped, and a group opens to its runs', async ({ page }) => {
  const { tab } = await openTable(page, 'census-income');
  await tab.getByLabel('Group by').selectOption('params.max_depth');
  const grid = tab.getByRole('treegrid', { name: 'Runs' });
  const groups = grid.locator('[aria-level="1"]');
  await expect(groups.first()).toContainText('max_depth');
  await expect(groups.first()).toContainText('±');
  await grid.focus();
  await grid.press('Home');
  await grid.press('ArrowRight');
  await expect(grid.locator('[aria-level="2"]').first()).toContainText(
    /sweep|xgb/
  );
  await groups.first().click();
  await expect(
    tab.getByRole('complementary', { name: 'Group details' })
  ).toContainText('Standard deviation');
  await inspect(page, 'table-groups');
  await tab.getByLabel('Group by').selectOption('');
});

test('runs inside runs open at any depth', async ({ page }) => {
  const { tab } = await openTable(page, 'nested');
  await tab.getByRole('checkbox', { name: 'Nested' }).check();
  const grid = tab.getByRole('treegrid', { name: 'Runs' });
  await expect(grid).toHaveAttribute('aria-rowcount', '3');
  await grid.getByRole('button', { name: 'Open search-b, 3 runs' }).click();
  await grid
    .getByRole('button', { name: 'Open search-b trial 0, 2 runs' })
    .click();
  await expect(grid.getByText('search-b fold 1')).toBeVisible();
  await expect(grid.locator('[aria-level="3"]')).toHaveCount(2);
  await inspect(page, 'table-nested');
  await tab.getByRole('checkbox', { name: 'Nested' }).uncheck();
});

test('columns are chosen, moved, widened and remembered', async ({ page }) => {
  let { tab, grid } = await openTable(page, 'census-income');
  await tab.getByRole('button', { name: 'Columns', exact: true }).click();
  const chooser = tab.getByRole('complementary', { name: 'Columns' });
  await expect(chooser.getByText('sweep')).toBeVisible();
  await inspect(page, 'table-columns');
  await chooser.getByRole('searchbox').fill('sweep');
  await chooser.getByRole('checkbox', { name: 'sweep' }).check();
  await chooser.getByRole('searchbox').fill('');
  await chooser.getByRole('button', { name: 'Move sweep up' }).click();
  await chooser.getByRole('button', { name: 'Close columns' }).click();
  const head = grid.getByRole('columnheader', { name: /^sweep/ });
  await expect(head).toBeAttached();
  const edge = grid.getByRole('separator', { name: 'Width of Status' });
  const before = Number(await edge.getAttribute('aria-valuenow'));
  await edge.focus();
  await edge.press('ArrowRight');
  await expect(edge).toHaveAttribute('aria-valuenow', String(before + 16));

  await tab.getByRole('button', { name: 'Views' }).click();
  await page.getByRole('menuitem', { name: 'Save As…' }).click();
  await page.locator('.jp-Dialog input').fill('with sweeps');
  await page.locator('.jp-Dialog .jp-mod-accept').click();
  await expect(
    tab.getByRole('button', { name: 'View: with sweeps' })
  ).toBeVisible();

  await page.waitForTimeout(1500); // JupyterLab itself keeps its state with a delay
  ({ tab, grid } = await openTable(page, 'census-income'));
  await expect(
    grid.getByRole('columnheader', { name: /^sweep/ })
  ).toBeAttached();
  await tab.getByRole('button', { name: 'Views' }).click();
  await page
    .getByRole('menuitemcheckbox', { name: 'All runs, usual columns' })
    .or(page.getByRole('menuitem', { name: 'All runs, usual columns' }))
    .click();
  await expect(grid.getByRole('columnheader', { name: /^sweep/ })).toHaveCount(
    0
  );
});

test('many runs are tagged, archived, deleted and brought back', async ({
  page
}) => {
  const { tab, grid } = await openTable(page, 'census-income');
  const status = tab.getByRole('toolbar').getByRole('status');
  const all = await status.innerText();
  const boxes = grid.locator('.atelier-List-row input[type="checkbox"]');
  await boxes.nth(10).click();
  await boxes.nth(14).click({ modifiers: ['Shift'] });
  const bar = tab.getByRole('region', { name: 'Selected runs' });
  await expect(bar).toContainText('5 runs selected');
  await expect(bar.getByRole('button', { name: 'Compare' })).toBeEnabled();
  await bar.getByRole('button', { name: 'Tag…' }).click();
  await bar.getByLabel('Key').fill('checked');
  await bar.getByLabel('Value').fill('yes');
  await bar.getByRole('button', { name: 'Set tag' }).click();
  await expect(bar).toContainText('5 runs changed.');
  await inspect(page, 'table-bulk');
  await bar.getByRole('button', { name: 'Archive' }).click();
  await expect(status).not.toHaveText(all);
  await bar.getByRole('button', { name: 'Clear selection' }).click();
  await tab.getByLabel('Show').selectOption('archived');
  await expect(status).toHaveText('5 runs');
  await grid.focus();
  await grid.press('Control+a');
  await expect(bar).toContainText('All runs that match.');
  await bar.getByRole('button', { name: 'Unarchive' }).click();
  await tab.getByLabel('Show').selectOption('active');
  await expect(status).toHaveText(all);

  const box = tab.getByRole('combobox', { name: 'Filter runs' });
  await box.fill("tags.checked = 'yes'");
  await box.press('Enter');
  await expect(status).toHaveText('5 runs');
  await grid.focus();
  await grid.press('Control+a');
  await bar.getByRole('button', { name: 'Delete…' }).click();
  await expect(page.locator('.jp-Dialog')).toContainText('Delete 5 runs?');
  await page.locator('.jp-Dialog .jp-mod-accept').click();
  await expect(tab.getByText('No run matches')).toBeVisible();
  await tab.getByLabel('Show').selectOption('deleted');
  await expect(status).toHaveText('5 runs');
  await grid.focus();
  await grid.press('Control+a');
  await bar.getByRole('button', { name: 'Restore' }).click();
  await tab.getByLabel('Show').selectOption('active');
  await expect(status).toHaveText('5 runs');
  await box.fill('');
  await box.press('Enter');
  await expect(status).toHaveText(all);
  await grid.focus();
  await grid.press('Control+a');
  await expect(bar.getByRole('button', { name: 'Compare' })).toBeDisabled();
});

test('rows that cannot be read say so above those that are known', async ({
  page
}) => {
  const { tab, grid } = await openTable(page, 'census-income');
  await fail(page, 'runs/window*', 'The disk of the workspace is full.');
  await tab.getByRole('button', { name: 'More', exact: true }).first().click();
  await page.getByRole('menuitem', { name: 'Refresh' }).click();
  await expect(tab.getByRole('alert').first()).toContainText(
    'Not up to date: The disk of the workspace is full.'
  );
  await expect(grid.locator('.atelier-List-row').first()).toBeVisible();
  await page.unroute('**/studio/api/runs/window*');
});
