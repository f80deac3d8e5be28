// The runs table and the page of a run, against a real server.
import {
  EMPTY_URL,
  expect,
  fail,
  hold,
  inspect,
  openLink,
  settled,
  test
} from './studio';

test.describe('an empty workspace', () => {
  test.use({ baseURL: EMPTY_URL });

  test('says how to begin an experiment', async ({ page }) => {
    const tab = await openLink(page, 'experiments');
    await expect(
      tab.getByRole('heading', { name: 'No experiments yet' })
    ).toBeVisible();
    await inspect(page, 'experiments-empty');
  });
});

test('hundreds of runs are listed, as far as they are in sight', async ({
  page
}) => {
  const tab = await openLink(page, 'experiments/census-income');
  const grid = tab.getByRole('grid', { name: 'Runs' });
  await expect(grid.getByRole('row').nth(5)).toBeVisible();
  await inspect(page, 'experiments-full');
  await expect(grid).toHaveAttribute('aria-rowcount', /^2\d\d$/);
  await grid.focus();
  await grid.press('End');
  await expect(grid.getByText('sweep-000')).toBeVisible();
  expect(await grid.locator('.atelier-List-row').count()).toBeLessThan(80);
});

test('a header sorts on the server', async ({ page }) => {
  const tab = await openLink(page, 'experiments/census-income');
  const grid = tab.getByRole('grid', { name: 'Runs' });
  await grid.getByRole('button', { name: 'valid-auc', exact: true }).click();
  await expect(
    grid.getByRole('columnheader', { name: 'valid-auc' })
  ).toHaveAttribute('aria-sort', 'descending');
  const columns = await grid.getByRole('columnheader').allInnerTexts();
  const column = columns.findIndex(text => text.startsWith('valid-auc'));
  await expect(async () => {
    const values = await grid
      .locator('.atelier-List-row')
      .evaluateAll(
        (rows, index) =>
          rows.slice(0, 10).map(row => Number(row.children[index].textContent)),
        column
      );
    expect(values.length).toBe(10);
    expect(values).toEqual([...values].sort((a, b) => b - a));
    expect(values[0]).toBeGreaterThan(0.9);
  }).toPass();
});

test('a filter narrows the runs, and a wrong one is explained at the box', async ({
  page
}) => {
  const tab = await openLink(page, 'experiments/census-income');
  const box = tab.getByRole('combobox', { name: 'Filter runs' });
  const grid = tab.getByRole('grid', { name: 'Runs' });
  await grid.focus();
  await grid.press('/');
  await expect(box).toBeFocused();
  await box.fill('metrics.`valid-auc` >');
  await box.press('Enter');
  await expect(box).toHaveAttribute('aria-invalid', 'true');
  await expect(tab.getByRole('search').getByRole('alert')).toBeVisible();
  await inspect(page, 'experiments-filter-error');
  await box.fill("status = 'FAILED'");
  await box.press('Enter');
  await expect(grid).toHaveAttribute('aria-rowcount', '9');
  await box.fill("status = 'FAILED' and params.max_depth = '99'");
  await box.press('Enter');
  await expect(
    tab.getByRole('heading', { name: 'No run matches' })
  ).toBeVisible();
  await tab.getByRole('button', { name: 'Show all runs' }).click();
  await expect(grid.getByRole('row').nth(20)).toBeVisible();
});

test('the keyboard selects a run, shows its details and opens it', async ({
  page
}) => {
  const tab = await openLink(page, 'experiments/census-income');
  const grid = tab.getByRole('grid', { name: 'Runs' });
  await expect(grid.getByRole('row').nth(5)).toBeVisible();
  await grid.focus();
  await grid.press('ArrowDown');
  await grid.press('ArrowDown');
  await grid.press('Space');
  const drawer = tab.getByRole('complementary', { name: 'Run details' });
  await expect(drawer).toBeVisible();
  await inspect(page, 'experiments-details');
  const name = await drawer.getByRole('heading').first().innerText();
  await grid.focus();
  await grid.press('Enter');
  await expect(
    page.locator('.atelier-Page:visible').getByRole('heading', { level: 1 })
  ).toHaveText(name);
});

test('odd names and numbers keep their place', async ({ page }) => {
  const tab = await openLink(page, 'experiments/odd-cases');
  const grid = tab.getByRole('grid', { name: 'Runs' });
  await expect(grid.getByText('NaN').first()).toBeVisible();
  await expect(grid.getByText('∞')).toBeVisible();
  await expect(grid.getByText('1.235e−9')).toBeVisible();
  await inspect(page, 'experiments-odd');
});

test('experiments load behind a skeleton', async ({ page }) => {
  const release = await hold(page, 'experiments*');
  const tab = await openLink(page, 'experiments');
  await expect(tab.locator('.atelier-Skeleton').first()).toBeVisible();
  await inspect(page, 'experiments-loading');
  release();
  await settled(tab);
});

test('experiments that cannot be read say why', async ({ page }) => {
  await fail(page, 'experiments*', 'The disk of the workspace is full.');
  const tab = await openLink(page, 'experiments');
  await expect(tab.getByRole('alert')).toContainText(
    'The disk of the workspace is full.'
  );
  await inspect(page, 'experiments-error');
});
