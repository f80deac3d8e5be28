// The page of a run, against a real server.
import { expect, inspect, openLink, seeded, settled, test } from './studio';

test('a run shows its notes, numbers, datasets, source and runs inside it', async ({
  page
}) => {
  const tab = await openLink(page, `run/${seeded().run}`);
  await expect(tab.getByRole('heading', { name: 'xgb-depth-6' })).toBeVisible();
  await expect(
    tab.getByRole('table', { name: 'Metrics' }).getByRole('row')
  ).toHaveCount(5);
  await expect(tab.getByText('next: fewer rounds')).toBeVisible();
  const nested = tab.getByRole('table', { name: 'Runs inside it' });
  await expect(nested.getByRole('row')).toHaveCount(5);
  await settled(tab);
  await inspect(page, 'run-overview');
  await nested.getByRole('button', { name: 'Runs inside fold-0' }).click();
  await expect(nested.getByRole('row')).toHaveCount(4);
  await expect(tab.getByRole('table', { name: 'Datasets' })).toContainText(
    'training'
  );
  await tab.getByText('What was not committed').click();
  await expect(tab.getByText('+depth = 6')).toBeVisible();
  await tab.getByText('Environment', { exact: true }).click();
  await tab.getByRole('textbox', { name: 'Search packages' }).fill('xgboost');
  await expect(
    tab.getByRole('table', { name: 'Packages' }).getByRole('row')
  ).toHaveCount(1);
  await inspect(page, 'run-source');
  await nested.getByRole('button', { name: 'fold-1', exact: true }).click();
  const child = page.locator('.atelier-Page:visible');
  await expect(child.getByRole('heading', { name: 'fold-1' })).toBeVisible();
  await expect(
    child
      .getByRole('navigation', { name: 'Breadcrumb' })
      .getByText('xgb-depth-6')
  ).toBeVisible();
});

test('notes, tags, the name and the star of a run are changed in place', async ({
  page
}) => {
  const tab = await openLink(page, `run/${seeded().run}`);
  await tab.getByRole('button', { name: 'Edit Notes' }).click();
  await tab
    .getByRole('textbox', { name: 'Notes, in Markdown' })
    .fill('Checked **twice**. <img src=x onerror="alert(1)">');
  await tab.getByRole('button', { name: 'Preview' }).click();
  await expect(tab.locator('strong', { hasText: 'twice' })).toBeVisible();
  await inspect(page, 'run-notes');
  await tab.getByRole('button', { name: 'Save' }).click();
  await expect(tab.getByRole('button', { name: 'Edit Notes' })).toBeVisible();
  await expect(tab.locator('[onerror]')).toHaveCount(0);
  await tab.getByRole('button', { name: 'Add a tag' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Name' }).fill('team');
  await dialog.getByRole('textbox', { name: 'Value' }).fill('risk');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(tab.getByRole('table', { name: 'Tags' })).toContainText('risk');
  await tab.getByRole('button', { name: 'Remove the tag team' }).click();
  await expect(tab.getByRole('table', { name: 'Tags' })).not.toContainText(
    'risk'
  );
  const star = tab.getByRole('button', { name: 'Favourite' });
  await star.click();
  await expect(star).toHaveAttribute('aria-pressed', 'true');
});

test('a run is deleted, says so, and is restored', async ({ page }) => {
  const tab = await openLink(page, `run/${seeded().spare}`);
  const more = tab.getByRole('button', { name: 'More' });
  await more.click();
  await page.getByRole('menuitem', { name: 'Delete…' }).click();
  await expect(page.getByRole('dialog')).toContainText('can be restored');
  await page
    .getByRole('dialog')
    .getByRole('button', { name: 'Delete' })
    .click();
  await expect(tab.getByText('This run is deleted')).toBeVisible();
  await inspect(page, 'run-deleted');
  await more.click();
  await page.getByRole('menuitem', { name: 'Restore' }).click();
  await expect(tab.getByText('This run is deleted')).toHaveCount(0);
});

test('the curves of a run are drawn', async ({ page }) => {
  const tab = await openLink(page, `run/${seeded().run}`);
  await tab.getByRole('tab', { name: 'Charts' }).click();
  await expect(tab.locator('figure .main-svg').first()).toBeVisible({
    timeout: 20000
  });
  await settled(tab);
  await inspect(page, 'run-charts');
  await tab.getByRole('textbox', { name: 'Search metrics' }).fill('train');
  await expect(tab.locator('figure')).toHaveCount(1);
});

test('files are looked into and none of them runs', async ({ page }) => {
  const tab = await openLink(page, `run/${seeded().run}`);
  await tab.getByRole('tab', { name: /Artifacts/ }).click();
  const files = tab.getByRole('grid', { name: 'Files' });
  const shown = tab.getByRole('region', { name: /^Content of/ });
  await files.getByText('confusion.plotly.json').click();
  await expect(tab.locator('figure .main-svg').first()).toBeVisible();
  await settled(tab);
  await inspect(page, 'run-artifacts');
  await files.getByText('mark.svg').click();
  await expect(tab.getByRole('img', { name: 'mark.svg' })).toBeVisible();
  await files.getByText('notes.md').click();
  await expect(
    shown.getByRole('heading', { name: 'Notes', exact: false, level: 1 })
  ).toBeVisible();
  await files.getByText('rows.parquet').click();
  await expect(shown.getByText('5 rows')).toBeVisible();
  await files.getByRole('button', { name: 'tables/' }).click();
  await files.getByText('rows.csv').click();
  await expect(shown.getByText('500 rows')).toBeVisible();
  await inspect(page, 'run-table');
  await files.getByText('report.html').click();
  await expect(
    shown.frameLocator('iframe').getByRole('heading', { name: 'Report' })
  ).toBeVisible();
  await expect(shown.getByText('without its scripts')).toBeVisible();
  await page.screenshot({ path: 'screenshots/run-html-light-1440.png' }); // axe cannot look into such a frame
  expect(await page.title()).not.toContain('taken over');
  await files.getByText('analysis.ipynb').click();
  await expect(shown.getByText('Which groups are wrong')).toBeVisible();
  await expect(shown.getByText('0.13')).toBeVisible();
  await inspect(page, 'run-notebook');
  await tab.getByRole('textbox', { name: 'Search files' }).fill('rows');
  await expect(files.getByText('tables/rows.csv')).toBeVisible();
  await files.getByText('rows.parquet').click();
  const download = page.waitForEvent('download');
  await tab.getByRole('link', { name: 'Download' }).click();
  expect((await download).suggestedFilename()).toBe('rows.parquet');
});

test('a run tells its lineage and what it printed', async ({ page }) => {
  const tab = await openLink(page, `run/${seeded().run}`);
  await tab.getByRole('tab', { name: 'Logs' }).click();
  await tab.getByRole('textbox', { name: 'Search the log' }).fill('round 7');
  await expect(tab.getByText('11 lines match.')).toBeVisible();
  await inspect(page, 'run-logs');
  await tab.getByRole('tab', { name: 'Lineage' }).click();
  const graph = tab.getByRole('group', { name: 'Lineage', exact: true });
  const version = graph.getByRole('button', { name: /census-income 1/ });
  await expect(version).toBeVisible();
  await expect(graph.getByRole('button', { name: /adult/ })).toBeVisible();
  await inspect(page, 'run-lineage');
  await tab.getByRole('button', { name: 'View as table' }).click();
  await expect(
    tab.getByRole('table', { name: 'Things in this lineage' })
  ).toContainText('serves');
  await tab.getByRole('button', { name: 'View as table' }).click();
  await graph.getByRole('button', { name: /adult/ }).click();
  await expect(graph.getByRole('button', { name: /adult/ })).toHaveAttribute(
    'aria-current',
    'true'
  );
  await tab.getByRole('button', { name: 'Back to the lineage' }).click();
  await version.focus();
  await version.press('Enter');
  await expect(
    page
      .locator('.atelier-Page:visible')
      .getByRole('heading', { name: 'census-income version 1' })
  ).toBeVisible();
});

test('a run leads to its model version and its endpoint', async ({ page }) => {
  const tab = await openLink(page, `run/${seeded().run}`);
  await expect(
    tab.getByRole('button', { name: 'census', exact: true })
  ).toBeVisible();
  await tab.getByRole('button', { name: 'census-income version 1' }).click();
  await expect(
    page
      .locator('.atelier-Page:visible')
      .getByRole('heading', { name: 'census-income version 1' })
  ).toBeVisible();
});

test('a run that does not exist is named', async ({ page }) => {
  const tab = await openLink(page, 'run/0123456789abcdef');
  await expect(tab.getByRole('alert')).toContainText('0123456789abcdef');
  await inspect(page, 'run-error');
});
