// Endpoints: their state, trying them, restarting and deleting them, against a real server.
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

  test('says how to deploy', async ({ page }) => {
    const tab = await openLink(page, 'endpoints');
    await expect(
      tab.getByRole('heading', { name: 'No endpoints yet' })
    ).toBeVisible();
    await inspect(page, 'endpoints-empty');
  });
});

test('endpoints are listed with their state', async ({ page }) => {
  const tab = await openLink(page, 'endpoints');
  const grid = tab.getByRole('grid', { name: 'Endpoints' });
  const failed = grid.getByRole('row', { name: /census-candidate/ });
  await expect(failed).toContainText('Failed');
  await inspect(page, 'endpoints-full');
  await grid.getByRole('row', { name: /census-candidate/ }).dblclick();
  await expect(
    page
      .locator('.atelier-Page:visible')
      .getByRole('heading', { name: 'census-candidate' })
  ).toBeVisible();
});

test('endpoints load behind a skeleton', async ({ page }) => {
  const release = await hold(page, 'endpoints*');
  const tab = await openLink(page, 'endpoints');
  await expect(tab.locator('.atelier-Skeleton').first()).toBeVisible();
  await inspect(page, 'endpoints-loading');
  release();
  await settled(tab);
});

test('endpoints that cannot be read say why', async ({ page }) => {
  await fail(page, 'endpoints*', 'The folder of the endpoints is gone.');
  const tab = await openLink(page, 'endpoints');
  await expect(tab.getByRole('alert')).toContainText(
    'The folder of the endpoints is gone.'
  );
  await inspect(page, 'endpoints-error');
});

test('an endpoint for arrays is asked with JSON', async ({ page }) => {
  const tab = await openLink(page, 'endpoint/points');
  const box = tab.getByLabel('A list of arrays, as JSON');
  await expect(box).toHaveValue('[[0,0]]');
  await box.fill('[[0, 0], [7, 7]');
  await expect(tab.getByText('This is not such JSON.')).toBeVisible();
  await expect(tab.getByRole('button', { name: 'Predict' })).toBeDisabled();
  await box.fill('[[0, 0], [7, 7]]');
  await tab.getByRole('button', { name: 'Predict' }).click();
  await expect(tab.getByText('near, far')).toBeVisible();
  await inspect(page, 'endpoint-arrays');
});

test('an endpoint answers a sample row, and shows the call as code', async ({
  page
}) => {
  const tab = await openLink(page, 'endpoint/census');
  await expect(tab.getByText('In service', { exact: true })).toBeVisible();
  await tab.getByLabel('age', { exact: true }).fill('52');
  await tab.getByRole('button', { name: 'Predict' }).click();
  await expect(tab.getByText(/answered in/)).toBeVisible();
  await expect(
    tab.getByRole('table', { name: 'Probabilities' }).getByRole('row')
  ).toHaveCount(2);
  await tab.getByRole('button', { name: 'Show as code' }).click();
  await expect(tab.getByLabel('The call with curl')).toContainText(
    '/invocations'
  );
  await expect(tab.getByLabel('The call in Python')).toContainText(
    'kt.hosting.get("census").predict(X)'
  );
  await inspect(page, 'endpoint-full');
});

test('how an endpoint runs is shown, and changed in dialogs', async ({
  page
}) => {
  const tab = await openLink(page, 'endpoint/census');
  await tab.getByRole('tab', { name: 'Operation' }).click();
  await expect(
    tab.getByRole('row', { name: /AllTraffic.*100 %.*1 of 1 ready/ })
  ).toBeVisible();
  await inspect(page, 'endpoint-operation');
  await tab.getByRole('button', { name: 'Scale…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox').fill('2');
  await dialog.getByRole('button', { name: 'Scale' }).click();
  await expect(tab.getByText('2 of 2 ready')).toBeVisible({ timeout: 30000 });
  await tab.getByRole('button', { name: 'Update…' }).click();
  await dialog.getByLabel('Version').fill('77');
  await dialog.getByRole('button', { name: 'Update' }).click();
  await expect(tab.getByText(/has no version 77/)).toBeVisible();
});

test('a field that does not fit is marked before anything is sent', async ({
  page
}) => {
  const tab = await openLink(page, 'endpoint/census');
  await tab.getByLabel('age', { exact: true }).fill('');
  await expect(tab.getByText('A value is needed.')).toBeVisible();
  await expect(tab.getByRole('button', { name: 'Predict' })).toBeDisabled();
});

test('a failed endpoint says why', async ({ page }) => {
  const tab = await openLink(page, 'endpoint/census-candidate');
  await expect(tab.getByText('Failed', { exact: true })).toBeVisible();
  await inspect(page, 'endpoint-failed');
});

test('a failed endpoint is restarted', async ({ page }) => {
  const tab = await openLink(page, 'endpoint/census-broken');
  await tab.getByRole('button', { name: 'Restart' }).click();
  await expect(tab.getByText('In service', { exact: true })).toBeVisible({
    timeout: 30000
  });
  await expect(tab.getByRole('button', { name: 'Restart' })).toHaveCount(0);
});

test('an endpoint is deleted after a word on what is lost', async ({
  page
}) => {
  const tab = await openLink(page, 'endpoint/census-broken');
  await tab.getByRole('button', { name: 'Delete' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('no longer answers');
  await dialog.getByRole('button', { name: 'Keep it' }).click();
  await tab.getByRole('button', { name: 'Delete' }).click();
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await expect(
    tab.getByRole('heading', { name: /census-broken was deleted/ })
  ).toBeVisible();
});
