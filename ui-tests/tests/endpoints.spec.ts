// Endpoints: their state, trying them, restarting and deleting them, against a real server.
import * as fs from 'fs';
import * as path from 'path';

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
  await expect(
    tab.getByRole('table', { name: 'Answers' }).getByRole('row')
  ).toHaveCount(3);
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
  await expect(tab.getByLabel('The call with boto3')).toContainText(
    'sagemaker-runtime'
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
  await tab.getByRole('button', { name: 'Autoscaling…' }).click();
  await dialog.getByLabel('Workers at most, up to 64').fill('2');
  await inspect(page, 'endpoint-autoscaling');
  await dialog.getByRole('button', { name: 'Set' }).click();
  await expect(
    tab.getByText('Autoscaling: 1 to 2 workers for each variant.')
  ).toBeVisible();
  await tab.getByRole('button', { name: 'Update…' }).click();
  await inspect(page, 'endpoint-update');
  await dialog.getByLabel('Version', { exact: false }).first().fill('77');
  await dialog.getByRole('button', { name: 'Update' }).click();
  await expect(tab.getByText(/has no version 77/)).toBeVisible();
});

test('a version is tried beside the present one, and taken back', async ({
  page
}) => {
  const tab = await openLink(page, 'endpoint/census');
  await tab.getByRole('tab', { name: 'Operation' }).click();
  await tab.getByRole('button', { name: 'Update…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Version', { exact: false }).first().fill('1');
  await dialog.getByLabel('Answers').selectOption('+');
  await dialog.getByLabel('Strategy').selectOption('all_at_once');
  await dialog.getByLabel('Seconds to watch').fill('0');
  await dialog.getByRole('button', { name: 'Update' }).click();
  await expect(
    tab.getByRole('row', { name: /challenger.*10 %.*1 of 1 ready/ })
  ).toBeVisible({ timeout: 30000 });
  await expect(tab.getByText('The last update is finished.')).toBeVisible();
  await tab.getByRole('button', { name: 'Share…' }).click();
  await dialog.getByLabel('challenger').fill('1');
  await dialog.getByRole('button', { name: 'Share' }).click();
  await expect(
    tab.getByRole('row', { name: /challenger.*50 %/ })
  ).toBeVisible();
  await inspect(page, 'endpoint-variants');
  await tab.getByRole('button', { name: 'Roll back' }).click();
  await dialog.getByRole('button', { name: 'Roll back' }).click();
  await expect(tab.getByRole('row', { name: /challenger/ })).toHaveCount(0);
});

test('several rows are asked as JSON', async ({ page }) => {
  const tab = await openLink(page, 'endpoint/census');
  await tab.getByLabel('age', { exact: true }).fill('52');
  await tab.getByLabel('Several rows, as JSON').check();
  const box = tab.getByRole('textbox', { name: /as JSON/ });
  const [row] = JSON.parse(await box.inputValue());
  expect(row.age).toBe(52);
  await box.fill(JSON.stringify([row, { ...row, age: 20 }]));
  await tab.getByRole('button', { name: 'Predict' }).click();
  await expect(
    tab.getByRole('table', { name: 'Answers' }).getByRole('row')
  ).toHaveCount(3);
  await expect(tab.getByRole('button', { name: 'Copy as CSV' })).toBeVisible();
  await inspect(page, 'endpoint-rows');
  await box.fill('[1, 2]');
  await expect(tab.getByRole('button', { name: 'Predict' })).toBeDisabled();
});

test('a field that does not fit is marked before anything is sent', async ({
  page
}) => {
  const tab = await openLink(page, 'endpoint/census');
  await tab.getByLabel('age', { exact: true }).fill('');
  await expect(tab.getByText('A value is needed.')).toBeVisible();
  await expect(tab.getByRole('button', { name: 'Predict' })).toBeDisabled();
});

test('what an endpoint did is drawn over time', async ({ page }) => {
  const tab = await openLink(page, 'endpoint/census-candidate');
  await tab.getByRole('tab', { name: 'Monitor' }).click();
  await expect(
    tab.locator('.atelier-EndpointMonitor .js-plotly-plot')
  ).toHaveCount(6);
  await expect(tab.getByText('99 of 100 take at most')).toBeVisible();
  await inspect(page, 'endpoint-monitor');
  await openLink(page, 'endpoint/points');
  const empty = page.locator('.atelier-Page:visible');
  await empty.getByRole('tab', { name: 'Monitor' }).click();
  await expect(empty.getByLabel('The last')).toBeVisible();
});

test('the log of an endpoint is searched', async ({ page }) => {
  const tab = await openLink(page, 'endpoint/census-candidate');
  await tab.getByRole('tab', { name: 'Log' }).click();
  const log = tab.getByRole('region', { name: 'Log' });
  await expect(log.getByText('[20899]')).toBeVisible();
  const search = tab.getByRole('searchbox', { name: 'Search the log' });
  await search.fill('to be replaced');
  await search.press('Enter');
  await expect(tab.getByText('15 lines match.')).toBeVisible();
  await expect(log.locator('[data-found]')).toContainText('more than the 512');
  await inspect(page, 'endpoint-log');
  await tab.getByRole('button', { name: 'Follow' }).click();
  await expect(log.getByText('[20899]')).toBeVisible();
});

test('captured requests are looked at', async ({ page }) => {
  const tab = await openLink(page, 'endpoint/points');
  await tab.getByRole('tab', { name: 'Captures' }).click();
  const list = tab.getByRole('grid', { name: 'Captures' });
  await list.getByRole('row').nth(1).click();
  await expect(
    tab.getByRole('complementary', { name: 'The captured request' })
  ).toContainText('instances');
  await inspect(page, 'endpoint-captures');
  await tab.getByRole('button', { name: 'Try it with this' }).click();
  await tab.getByRole('button', { name: 'Predict' }).click();
  await expect(tab.getByText(/answered in/)).toBeVisible();
  await openLink(page, 'endpoint/census');
  const empty = page.locator('.atelier-Page:visible');
  await empty.getByRole('tab', { name: 'Captures' }).click();
  await expect(empty.getByText('Nothing is captured')).toBeVisible();
});

test('a failed asynchronous request is tried again', async ({ page }) => {
  const tab = await openLink(page, 'endpoint/points');
  await tab.getByRole('tab', { name: 'Async queue' }).click();
  const list = tab.getByRole('grid', { name: 'Asynchronous requests' });
  await expect(list.getByRole('row', { name: /Completed/ })).toBeVisible();
  await list
    .getByRole('row', { name: /Failed/ })
    .getByRole('checkbox')
    .check();
  await tab.getByRole('button', { name: 'Try 1 again' }).click();
  await expect(tab.getByRole('button', { name: 'Try 1 again' })).toHaveCount(0);
  await list.getByRole('row', { name: /Failed/ }).click();
  const drawer = tab.getByRole('complementary');
  await expect(drawer).toContainText('file://');
  await inspect(page, 'endpoint-async');
  const again = page.waitForResponse(/async-requests.retry/);
  await drawer.getByRole('button', { name: 'Try again' }).click();
  expect((await again).status()).toBe(200);
  await openLink(page, 'endpoint/census');
  const empty = page.locator('.atelier-Page:visible');
  await empty.getByRole('tab', { name: 'Async queue' }).click();
  await expect(empty.getByText('No asynchronous requests yet')).toBeVisible();
  await inspect(page, 'endpoint-async-empty');
});

test('files are transformed, and what fails says why', async ({ page }) => {
  const list = await openLink(page, 'endpoints');
  await list.getByRole('button', { name: 'Batch transforms' }).click();
  const tab = page.locator('.atelier-Page:visible');
  await expect(tab.getByText('No batch transforms yet')).toBeVisible();
  await inspect(page, 'batch-empty');
  await tab.getByRole('button', { name: 'Transform files…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Model').fill('points');
  await dialog.getByLabel('Input', { exact: true }).fill('/nowhere/rows.csv');
  await dialog.getByLabel('Folder of the outputs').fill('/nowhere/out');
  await dialog.getByRole('button', { name: 'Transform' }).click();
  await expect(tab.getByRole('alert')).toContainText('There is no input');
  const root = process.env.ATELIER_UI_ROOT ?? '';
  const transform = async (text: string, output: string): Promise<void> => {
    fs.writeFileSync(path.join(root, `${output}.csv`), text);
    await tab.getByRole('button', { name: 'Transform files…' }).click();
    await dialog.getByLabel('Model').fill('points');
    await dialog
      .getByLabel('Input', { exact: true })
      .fill(path.join(root, `${output}.csv`));
    await dialog
      .getByLabel('Folder of the outputs')
      .fill(path.join(root, output));
    await dialog.getByRole('button', { name: 'Transform' }).click();
  };
  await transform('x,y\n0,1\n6,5\n', 'right');
  await transform('x,y\n0,1\n6,five\n', 'wrong');
  const jobs = tab.getByRole('grid', { name: 'Batch transforms' });
  const failed = jobs.getByRole('row', { name: /Failed.*five/ });
  await expect(failed).toBeVisible({ timeout: 60000 });
  await expect(jobs.getByRole('row', { name: /Completed 100 %/ })).toBeVisible({
    timeout: 60000
  });
  expect(
    fs.readFileSync(path.join(root, 'right', 'right.csv.out'), 'utf8')
  ).toContain('near');
  await failed.click();
  await inspect(page, 'batch-list');
  await tab.getByRole('button', { name: 'Try again' }).click();
  await expect(failed).toHaveCount(2, { timeout: 60000 });
  const version = await openLink(page, 'model/points/1');
  await version.getByRole('button', { name: 'More', exact: true }).click();
  await page.getByRole('menuitem', { name: 'Transform Files…' }).click();
  await expect(dialog.getByLabel('Model')).toHaveValue('points');
  await expect(dialog.locator('input[name="version"]')).toHaveValue('1');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
});

test('a failed endpoint says why', async ({ page }) => {
  const tab = await openLink(page, 'endpoint/census-candidate');
  await expect(tab.getByText('Failed', { exact: true })).toBeVisible();
  await inspect(page, 'endpoint-failed');
});

test('a failed endpoint is restarted, and its log followed', async ({
  page
}) => {
  const tab = await openLink(page, 'endpoint/census-broken');
  await tab.getByRole('tab', { name: 'Log' }).click();
  const line = tab.locator('.atelier-LogView-line').last();
  const before = (await line.textContent()) ?? '';
  await tab.getByRole('button', { name: 'Restart' }).click();
  await expect(tab.getByText('In service', { exact: true })).toBeVisible({
    timeout: 30000
  });
  await expect(tab.getByRole('button', { name: 'Restart' })).toHaveCount(0);
  await expect(line).not.toHaveText(before, { timeout: 15000 });
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
