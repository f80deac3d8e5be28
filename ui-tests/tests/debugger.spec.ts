// The Debugger and the profiler of a run: the rule board, findings with their advice, layers, classes, tensors.
import * as fs from 'fs';
import * as path from 'path';

import {
  expect,
  expectNoSidewaysScroll,
  fail,
  inspect,
  openLink,
  seeded,
  settled,
  test
} from './studio';

test('findings are told with evidence and advice that goes into a notebook', async ({
  page
}) => {
  const [watched] = seeded().watched;
  await page.goto();
  await page.notebook.createNew('fix.ipynb');
  await page.evaluate(
    path => window.jupyterapp.commands.execute('atelier:open', { path }),
    `run/${watched}/debugger`
  );
  const tab = page.locator('.atelier-Page:visible');
  const found = tab.getByRole('list', { name: 'Found' });
  await expect(found.getByRole('button')).toHaveCount(3);
  await settled(tab);
  await expectNoSidewaysScroll(tab);
  await found.getByRole('button', { name: /DeadRelu/ }).press('Enter');
  const drawer = tab.getByRole('complementary', {
    name: 'Details of the finding'
  });
  await expect(drawer).toContainText('20 of 32 units');
  await expect(drawer).toContainText('Shown on the desktop.');
  await settled(tab);
  await inspect(page, 'debugger-finding');
  await drawer.getByRole('button', { name: /Use a LeakyReLU/ }).click();
  await expect(
    page.locator('.jp-NotebookPanel:visible .jp-Cell').last()
  ).toContainText('LeakyReLU(0.01)');
});

test('a finding shows as soon as it is made', async ({ page }) => {
  const [watched, , , training] = seeded().watched;
  const tab = await openLink(page, `run/${training}/debugger`);
  await expect(tab.getByText('No rule has looked')).toBeVisible();
  await settled(tab);
  const findings = (run: string) =>
    path.join(
      process.env.ATELIER_UI_HOME ?? '',
      'runs',
      run,
      'debugger',
      'findings.json'
    );
  fs.copyFileSync(findings(watched), findings(training));
  await expect(
    tab.getByRole('list', { name: 'Found' }).getByRole('button')
  ).toHaveCount(3, { timeout: 1500 });
});

test('layers, classes and tensors are looked into', async ({ page }) => {
  const tab = await openLink(page, `run/${seeded().watched[0]}/debugger`);
  await tab.getByRole('tab', { name: 'Layers' }).click();
  await expect(tab.locator('figure')).toHaveCount(4);
  await settled(tab);
  await inspect(page, 'debugger-layers');
  await tab.getByRole('tab', { name: 'Classes' }).click();
  const slider = tab.getByRole('slider', { name: 'Step' });
  await slider.press('ArrowLeft');
  await expect(tab.getByText('Step 300')).toBeVisible();
  await settled(tab);
  await inspect(page, 'debugger-classes');
  await tab.getByRole('tab', { name: /Tensors/ }).click();
  await tab.getByRole('textbox', { name: 'Search tensors' }).fill('gradient');
  const list = tab.getByRole('grid', { name: 'Tensors' });
  await list.getByText('gradient/fc1.weight').click();
  const drawer = tab.getByRole('complementary', {
    name: 'Details of the tensor'
  });
  await drawer
    .getByRole('combobox', { name: 'Compare with' })
    .selectOption(seeded().watched[1]);
  await expect(drawer.locator('.legendtext').first()).toContainText(
    'small-cnn'
  );
  await settled(tab);
  await inspect(page, 'debugger-tensors');
});

test('the profiler shows where the time went', async ({ page }) => {
  const tab = await openLink(page, `run/${seeded().watched[0]}/profiler`);
  await expect(tab.locator('figure').first()).toBeVisible();
  await settled(tab);
  await inspect(page, 'profiler');
  await expect(tab.getByRole('table', { name: 'Operators' })).toContainText(
    'aten::convolution_backward'
  );
});

test('a run without a capture, a broken one and an error say what to do', async ({
  page
}) => {
  let tab = await openLink(page, `run/${seeded().run}/debugger`);
  await expect(tab.getByText('This run was not watched')).toBeVisible();
  await inspect(page, 'debugger-empty');
  tab = await openLink(page, `run/${seeded().watched[2]}/debugger`);
  await expect(tab.getByRole('alert')).toContainText('rank-0.db');
  await fail(page, 'runs/*/debugger?*', 'The workspace is being moved.');
  tab = await openLink(page, `run/${seeded().watched[0]}/debugger`);
  await expect(tab.getByRole('alert')).toContainText('being moved');
});
