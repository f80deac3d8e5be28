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
