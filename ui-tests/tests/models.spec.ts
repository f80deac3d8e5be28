// Models, their versions and the decisions on them, against a real server.
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

  test('says how to register a model', async ({ page }) => {
    const tab = await openLink(page, 'models');
    await expect(
      tab.getByRole('heading', { name: 'No models yet' })
    ).toBeVisible();
    await inspect(page, 'models-empty');
  });
});

test('groups lead to versions', async ({ page }) => {
  const tab = await openLink(page, 'model/census-income');
  const versions = tab.getByRole('grid', { name: 'Versions of census-income' });
  await expect(versions.getByRole('row')).toHaveCount(4);
  await expect(versions.getByText('Worse than version 1.')).toBeVisible();
  await inspect(page, 'models-full');
  await tab
    .getByRole('grid', { name: 'Models' })
    .getByText('census-linear')
    .click();
  await expect(
    tab.getByRole('grid', { name: 'Versions of census-linear' })
  ).toBeVisible();
});

test('models load behind a skeleton', async ({ page }) => {
  const release = await hold(page, 'models*');
  const tab = await openLink(page, 'models');
  await expect(tab.locator('.atelier-Skeleton').first()).toBeVisible();
  await inspect(page, 'models-loading');
  release();
  await settled(tab);
});

test('models that cannot be read say why', async ({ page }) => {
  await fail(page, 'models*', 'The database does not answer.');
  const tab = await openLink(page, 'models');
  await expect(tab.getByRole('alert')).toContainText(
    'The database does not answer.'
  );
  await inspect(page, 'models-error');
});

test('a filter narrows the models, and a wrong one is explained at the box', async ({
  page
}) => {
  const tab = await openLink(page, 'models');
  const box = tab.getByRole('textbox', { name: 'Filter models' });
  await box.fill('name LIKE');
  await box.press('Enter');
  await expect(box).toHaveAttribute('aria-invalid', 'true');
  await inspect(page, 'models-filter-error');
  await box.fill("name LIKE '%linear'");
  await box.press('Enter');
  await expect(
    tab.getByRole('grid', { name: 'Models' }).getByRole('row')
  ).toHaveCount(2);
});

test('a version shows its metrics, signature, sample and files', async ({
  page
}) => {
  const tab = await openLink(page, 'model/census-income/1');
  await expect(tab.getByText('Approved', { exact: true })).toBeVisible();
  await expect(tab.getByText('AUC and the groups were checked.')).toBeVisible();
  await expect(
    tab.getByRole('table', { name: 'Metrics of its run' })
  ).toContainText('valid-auc');
  await expect(tab.getByRole('table', { name: 'Signature' })).toContainText(
    'occupation'
  );
  await expect(tab.locator('.lm-DataGrid')).toBeVisible();
  await inspect(page, 'version-full');
  await tab.getByRole('button', { name: 'View as table' }).click();
  await expect(
    tab.getByRole('group', { name: 'Sample input' }).getByRole('row')
  ).toHaveCount(6);
  await tab.getByRole('tab', { name: /Files/ }).click();
  await expect(tab.getByRole('table', { name: 'Files' })).toContainText('.ubj');
  const download = page.waitForEvent('download');
  await tab
    .getByRole('link', { name: /^Download/ })
    .first()
    .click();
  expect((await download).suggestedFilename()).toMatch(/ubj|json/);
});

test('a version has a card with revisions, a lineage and a history', async ({
  page
}) => {
  const tab = await openLink(page, 'model/census-income/1');
  await tab.getByRole('tab', { name: 'Card' }).click();
  await expect(tab.getByText('Adult, 1994.')).toBeVisible();
  await settled(tab);
  await inspect(page, 'version-card');
  await tab.getByRole('combobox', { name: 'Revision' }).selectOption('1');
  await expect(tab.getByText('Adult, 1994.')).toHaveCount(0);
  await tab.getByRole('combobox', { name: 'Revision' }).selectOption('2');
  await tab.getByRole('button', { name: 'Edit the card' }).click();
  await tab.getByRole('textbox', { name: 'Ethics' }).fill('Biased by sex.');
  await inspect(page, 'version-card-form');
  await tab.getByRole('button', { name: 'Save as revision 3' }).click();
  await expect(tab.getByText('Biased by sex.')).toBeVisible();
  await tab.getByRole('tab', { name: 'Lineage' }).click();
  await expect(tab.getByRole('button', { name: /adult/ })).toBeVisible();
  await inspect(page, 'version-lineage');
  await tab.getByRole('tab', { name: 'Approvals' }).click();
  await expect(tab.getByText('The best AUC of three.')).toBeVisible();
  await inspect(page, 'version-approvals');
});

test('a version shows what it was compiled to', async ({ page }) => {
  const tab = await openLink(page, 'model/census-income/1');
  await tab.getByRole('tab', { name: 'Compiled' }).click();
  const table = tab.getByRole('table', {
    name: 'Comparison with the original'
  });
  await expect(table.getByRole('row')).toHaveCount(3);
  await expect(table.getByRole('row', { name: /onnx chosen/ })).toContainText(
    'the same'
  );
  await settled(tab);
  await inspect(page, 'version-compiled');
  await tab.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByRole('button', { name: 'Keep it' }).click();
  const other = await openLink(page, 'model/census-income/2');
  await other.getByRole('tab', { name: 'Compiled' }).click();
  await expect(
    other.getByRole('heading', { name: 'Not compiled yet' })
  ).toBeVisible();
  await inspect(page, 'version-not-compiled');
});

test('a version is compiled from its page', async ({ page }) => {
  const tab = await openLink(page, 'model/points/1');
  await tab.getByRole('tab', { name: 'Compiled' }).click();
  await tab.getByRole('button', { name: 'Compile…' }).click();
  const dialog = page.getByRole('dialog');
  await inspect(page, 'version-compile');
  await dialog.getByRole('button', { name: 'Compile' }).click();
  await expect(tab.getByText('The job that compiles')).toBeVisible();
  await expect(
    tab.getByRole('table', { name: 'Comparison with the original' })
  ).toBeVisible({ timeout: 60000 });
});

test('versions are compared side by side, differences only', async ({
  page
}) => {
  const tab = await openLink(page, 'model/census-income');
  await tab.getByRole('checkbox', { name: 'Compare version 1' }).check();
  await tab.getByRole('checkbox', { name: 'Compare version 2' }).check();
  await tab.getByRole('button', { name: 'Compare (2)' }).click();
  const comparison = page
    .locator('.atelier-Page:visible')
    .getByRole('table', { name: 'Comparison' });
  await expect(comparison).toContainText('max_depth');
  await expect(comparison).not.toContainText('learning_rate');
  await inspect(page, 'versions-compared');
  await page
    .locator('.atelier-Page:visible')
    .getByRole('checkbox', { name: 'Differences only' })
    .uncheck();
  await expect(comparison).toContainText('learning_rate');
});

test('an alias moves only after a question that names both versions', async ({
  page
}) => {
  const tab = await openLink(page, 'model/census-income/3');
  await tab.getByRole('button', { name: '+ Alias' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox').fill('champion');
  await dialog.getByRole('button', { name: 'Give' }).click();
  await expect(dialog).toContainText('Version 1 of census-income is champion');
  await dialog.getByRole('button', { name: 'Leave it with version 1' }).click();
  await expect(tab.getByText('@champion')).toHaveCount(0);
  await tab.getByRole('button', { name: '+ Alias' }).click();
  await dialog.getByRole('textbox').fill('challenger');
  await dialog.getByRole('button', { name: 'Give' }).click();
  await expect(tab.getByText('@challenger')).toBeVisible();
  await tab
    .getByRole('button', { name: 'Take the alias challenger away' })
    .click();
  await expect(tab.getByText('@challenger')).toHaveCount(0);
});

test('a version that is served is not deleted, and says who serves it', async ({
  page
}) => {
  const tab = await openLink(page, 'model/points/1');
  await tab.getByRole('button', { name: 'More' }).click();
  await page.getByRole('menuitem', { name: 'Delete…' }).click();
  await expect(page.getByRole('dialog')).toContainText('served by points');
  await page
    .getByRole('dialog')
    .getByRole('button', { name: 'Delete' })
    .click();
  await expect(tab.getByRole('alert')).toContainText('points');
});

test('a version is approved with a note and deployed, then leads to its endpoint', async ({
  page
}) => {
  const tab = await openLink(page, 'model/census-income/3');
  await tab.getByRole('button', { name: 'Approve' }).click();
  await page.getByRole('dialog').getByRole('textbox').fill('Good enough.');
  await page
    .getByRole('dialog')
    .getByRole('button', { name: 'Approve' })
    .click();
  await expect(tab.getByText('Good enough.')).toBeVisible();
  await expect(tab.getByRole('button', { name: 'Approve' })).toHaveCount(0);

  await tab.getByRole('button', { name: 'Deploy' }).click();
  await page.getByRole('dialog').getByRole('textbox').fill('from-the-page');
  await page
    .getByRole('dialog')
    .getByRole('button', { name: 'Deploy' })
    .click();
  const endpoint = page.locator('.atelier-Page:visible');
  await expect(
    endpoint.getByRole('heading', { name: 'from-the-page' })
  ).toBeVisible({ timeout: 30000 });
  await expect(endpoint.getByText('In service', { exact: true })).toBeVisible();
  await endpoint
    .getByRole('button', { name: 'census-income version 3' })
    .click();
  await expect(
    page
      .locator('.atelier-Page:visible')
      .getByRole('button', { name: 'Endpoint from-the-page' })
  ).toBeVisible();
});

test('a name that is taken is refused in the page, not in a notification', async ({
  page
}) => {
  const tab = await openLink(page, 'model/census-income/1');
  await tab.getByRole('button', { name: 'Deploy' }).click();
  await page.getByRole('dialog').getByRole('textbox').fill('census');
  await page
    .getByRole('dialog')
    .getByRole('button', { name: 'Deploy' })
    .click();
  await expect(tab.getByRole('alert')).toContainText('census');
  await inspect(page, 'version-refused');
});

test('a version that does not exist is named', async ({ page }) => {
  const tab = await openLink(page, 'model/census-income/77');
  await expect(tab.getByRole('alert')).toContainText('77');
});
