// Runs side by side, against a real server.
import {
  expect,
  expectNoSidewaysScroll,
  fail,
  hold,
  inspect,
  openLink,
  seeded,
  settled,
  test
} from './studio';

const link = (ids: string[]) => `compare/${ids.join('~')}`;

test('charts of runs are drawn, arranged and copied as Python', async ({
  page
}) => {
  test.slow(); // three looks at many figures
  const tab = await openLink(page, link(seeded().compared));
  await expect(
    tab.getByRole('heading', { name: 'Compare 2 runs' })
  ).toBeVisible();
  await expect(tab.locator('figure .main-svg').first()).toBeVisible({
    timeout: 30000
  });
  await settled(tab);
  await inspect(page, 'compare-charts');
  await expectNoSidewaysScroll(tab);
  await expect(
    page.locator('.lm-TabBar-tabLabel', { hasText: 'slow, fast' })
  ).toBeVisible();

  // What all curves share is drawn into each of them.
  const loss = tab.getByRole('figure', { name: 'train/loss', exact: true });
  const lines = loss.locator('.scatterlayer .trace');
  await expect(lines).toHaveCount(2);
  await tab.getByLabel('Smoothing').fill('0.8');
  await expect(lines).toHaveCount(4);
  await tab.getByLabel('Axis', { exact: true }).selectOption('relative');
  await expect(loss.getByText("time since the run's start (s)")).toBeVisible();
  await settled(tab);
  await inspect(page, 'compare-smoothed');

  // A chart is copied, shown as a table, moved and taken away by its menu.
  const menu = async (name: string, item: string) => {
    const figure = tab.getByRole('figure', { name, exact: true });
    await figure.getByRole('button', { name: /Save the figure/ }).click();
    await page.getByRole('menuitem', { name: item, exact: true }).click();
  };
  await menu('train/loss', 'Copy as Python');
  const code = await page.evaluate(() => navigator.clipboard.readText());
  expect(code).toContain('kt.experiments.figures.compare_curves(');
  expect(code).toContain('smoothing=0.8');
  const download = page.waitForEvent('download');
  await menu('train/loss', 'JSON');
  expect((await download).suggestedFilename()).toBe('train-loss.plotly.json');
  await menu('valid/auc', 'Show as Table');
  await expect(
    tab.getByRole('table', { name: 'Data of valid/auc' })
  ).toBeVisible();
  await menu('valid/auc', 'Show the Figure');
  const titles = () =>
    tab
      .getByRole('figure')
      .evaluateAll(nodes => nodes.map(node => node.ariaLabel).slice(0, 2));
  expect(await titles()).toEqual(['train/loss', 'valid/auc']);
  await menu('train/loss', 'Move Later');
  await expect.poll(titles).toEqual(['valid/auc', 'train/loss']);
  await tab
    .locator('.atelier-Compare-handle')
    .nth(1)
    .dragTo(tab.getByRole('figure').first());
  await expect.poll(titles).toEqual(['train/loss', 'valid/auc']);
  const edge = tab.getByRole('separator', { name: 'Height of train/loss' });
  await edge.focus();
  await edge.press('ArrowDown');
  await expect(edge).toHaveAttribute('aria-valuenow', '320');
  await menu('valid/auc', 'Remove');

  // A new chart comes first, and the arrangement is there after a reload.
  await tab.getByRole('button', { name: 'Add a chart' }).click();
  await inspect(page, 'compare-form');
  await tab.getByLabel('Chart', { exact: true }).selectOption('scatter');
  await tab.getByLabel('Colour by').selectOption('params.booster');
  await tab.getByRole('button', { name: 'Add', exact: true }).click();
  await expect.poll(titles).toEqual(['valid/auc over booster', 'train/loss']);
  const arranged = await titles();
  await page.reload();
  await expect.poll(titles, { timeout: 20000 }).toEqual(arranged);
  await tab.getByRole('button', { name: 'Reset the charts' }).click();
  await expect.poll(titles).toEqual(['train/loss', 'valid/auc']);
});

test('differences, code, environments and files are side by side', async ({
  page
}) => {
  const tab = await openLink(page, link(seeded().compared));
  await tab.getByRole('tab', { name: 'Differences' }).click();
  const table = tab.getByRole('table', { name: 'Differences' });
  await expect(table.getByRole('row', { name: /learning_rate/ })).toContainText(
    '0.05'
  );
  await expect(table.getByRole('row', { name: /depth/ })).toHaveCount(0);
  await expect(
    table.getByRole('row', { name: /valid\/auc/ }).locator('[data-best]')
  ).toHaveCount(1);
  await tab.getByLabel('Baseline').selectOption({ label: 'slow' });
  await expect(table.locator('.atelier-Compare-delta').first()).toBeVisible();
  await inspect(page, 'compare-differences');
  await tab.getByLabel('Only differences').uncheck();
  await expect(table.getByRole('row', { name: /depth/ })).toHaveCount(1);
  await tab.getByLabel('Filter rows').fill('nothing like this');
  await expect(
    tab.getByRole('heading', { name: 'Nothing matches' })
  ).toBeVisible();

  await tab.getByRole('tab', { name: 'Code' }).click();
  const diff = tab.getByRole('table', { name: /source\/cell.py/ });
  await expect(diff.locator('tr[data-sign="+"]')).toHaveCount(2);
  await expect(diff.locator('tr[data-sign="-"]')).toHaveText(/rate = 0.05/);
  await expect(tab.getByText(/^git diff a+ b+$/)).toBeVisible();
  await inspect(page, 'compare-code');

  await tab.getByRole('tab', { name: 'Environment' }).click();
  const packages = tab.getByRole('table', { name: 'Environments' });
  await expect(packages.getByRole('row', { name: /numpy/ })).toContainText(
    '2.1.0'
  );
  await expect(packages.getByRole('row', { name: /pandas/ })).toHaveCount(0);
  await inspect(page, 'compare-environment');

  await tab.getByRole('tab', { name: 'Artifacts' }).click();
  const files = tab.getByRole('grid', { name: 'Files' });
  await files.getByText('confusion_matrix.plotly.json').click();
  await expect(tab.locator('figure .main-svg').nth(3)).toBeVisible();
  await settled(tab);
  await inspect(page, 'compare-artifacts');
  await files.getByText('gradient.png').click();
  await expect(tab.getByRole('img', { name: 'gradient.png' })).toHaveCount(2);
  await files.getByText('notes.md').click();
  await expect(
    tab.getByRole('table', { name: 'Differences in notes.md' })
  ).toBeVisible();
  await inspect(page, 'compare-texts');
});

test('runs are added by name and taken away; those that are gone are named', async ({
  page
}) => {
  const gone = '0123456789abcdef0123456789abcdef';
  const [first] = seeded().compared;
  const tab = await openLink(page, link([first, gone]));
  await expect(
    tab.getByRole('heading', { name: 'Choose at least two runs' })
  ).toBeVisible();
  await expect(tab.getByText(`There is no run ${gone}`)).toBeVisible();
  await inspect(page, 'compare-absent');
  const add = tab.getByRole('combobox', { name: 'Add a run' });
  for (const name of ['live-training', 'xgb-depth-6', 'xgb-depth-2']) {
    await add.fill(name);
    await tab
      .getByRole('list', { name: 'Found runs' })
      .getByRole('button', { name })
      .click();
    await expect(
      tab.getByRole('list', { name: 'Compared runs' }).getByText(name)
    ).toBeVisible();
  }
  await expect(
    tab.getByRole('heading', { name: 'Compare 4 runs' })
  ).toBeVisible();
  await expect(
    tab.getByText(/\d of 4 runs have no such metric/).first()
  ).toBeVisible();
  await settled(tab);
  await inspect(page, 'compare-four');
  await tab
    .getByRole('button', { name: `Remove ${gone} from the comparison` })
    .click();
  await expect(tab.getByText(gone)).toHaveCount(0);
});

test('a comparison loads behind a skeleton, and says why it fails', async ({
  page
}) => {
  const release = await hold(page, 'runs-comparison*');
  const tab = await openLink(page, link(seeded().compared));
  await expect(tab.locator('.atelier-Skeleton').first()).toBeVisible();
  await inspect(page, 'compare-loading');
  release();
  await fail(page, 'runs-comparison*', 'The disk of the workspace is full.');
  await openLink(page, link([...seeded().compared].reverse()));
  await expect(tab.getByRole('alert').first()).toContainText(
    'The disk of the workspace is full.'
  );
  await inspect(page, 'compare-error');
});
