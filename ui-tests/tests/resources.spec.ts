// Running resources: what runs, stopping it, and the idle policy, against a real server with real kernels.
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

test.describe('a server where nothing runs', () => {
  test.use({ baseURL: EMPTY_URL });

  test('says so, and shows the policy', async ({ page }) => {
    const tab = await openLink(page, 'resources');
    await expect(
      tab.getByRole('heading', { name: 'Nothing runs' })
    ).toBeVisible();
    await expect(
      tab.getByRole('region', { name: 'Idle policy' })
    ).toBeVisible();
    await inspect(page, 'resources-empty');
  });
});

test('everything that runs is listed, and stopped after a word on what is lost', async ({
  page,
  baseURL
}) => {
  await page.request.post(`${baseURL}/api/sessions`, {
    data: {
      path: 'work/census.ipynb',
      type: 'notebook',
      name: '',
      kernel: { name: 'python3' }
    }
  });
  await page.request.post(`${baseURL}/api/terminals`);
  const tab = await openLink(page, 'resources');
  await page.getByRole('tab', { name: 'Atelier' }).first().click();
  const table = tab.getByRole('table', { name: 'Running resources' });
  const kernel = table.getByRole('row', { name: /census\.ipynb/ });
  await expect(kernel).toContainText('Kernel');
  await expect(kernel).toContainText('MiB');
  await expect(kernel).toContainText(/Starting|Idle/);
  await expect(table.getByRole('row', { name: /Terminal/ })).toBeVisible();
  await expect(
    table.getByRole('row', { name: /Endpoint/ }).first()
  ).toContainText('In service');
  await expect(
    page
      .getByRole('navigation', { name: 'Atelier' })
      .getByRole('button', { name: /Running resources\s*[\d.]+ [MG]iB/ })
  ).toBeVisible();
  await inspect(page, 'resources-full');

  await kernel
    .getByRole('button', { name: 'Stop Kernel census.ipynb' })
    .click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('All variables in its memory are lost.');
  await dialog.getByRole('button', { name: 'Keep it' }).click();
  await kernel
    .getByRole('button', { name: 'Stop Kernel census.ipynb' })
    .click();
  await dialog.getByRole('button', { name: 'Stop' }).click();
  await expect(kernel).toHaveCount(0);

  await tab.getByRole('button', { name: 'Stop all idle…' }).click();
  await expect(dialog.getByRole('combobox')).toContainText(/Any time: \d/);
  await dialog.getByRole('button', { name: 'Stop them' }).click();
  await expect(table.getByRole('row', { name: /Terminal/ })).toHaveCount(0);

  await table
    .getByRole('row', { name: /Endpoint/ })
    .first()
    .getByRole('rowheader')
    .getByRole('button')
    .click();
  await expect(
    page
      .locator('.atelier-Page:visible')
      .getByRole('heading', { name: 'Try it' })
  ).toBeVisible();
});

test('a policy is checked, saved and found again', async ({ page }) => {
  const tab = await openLink(page, 'resources');
  const policy = tab.getByRole('region', { name: 'Idle policy' });
  const quiet = policy.getByLabel('Stop quiet kernels after (minutes)');
  const save = policy.getByRole('button', { name: 'Save the policy' });
  await expect(save).toBeDisabled();
  await quiet.fill('soon');
  await expect(policy).toContainText('Minutes, such as 30');
  await expect(save).toBeDisabled();
  await inspect(page, 'resources-policy');
  await quiet.fill('240');
  await quiet.press('Enter');
  await expect(policy.getByRole('status').last()).toContainText('Saved');
  await page.reload();
  await expect(quiet).toHaveValue('240');
  await quiet.fill('');
  await save.click();
  await expect(policy.getByRole('status').last()).toContainText('Saved');
});

test('resources load behind a skeleton', async ({ page }) => {
  const release = await hold(page, 'resources*');
  const tab = await openLink(page, 'resources');
  await expect(tab.locator('.atelier-Skeleton').first()).toBeVisible();
  await inspect(page, 'resources-loading');
  release();
  await settled(tab);
});

test('resources that cannot be read say why', async ({ page }) => {
  await fail(page, 'resources*', 'The event loop of the server is stuck.');
  const tab = await openLink(page, 'resources');
  await expect(tab.getByRole('alert').first()).toContainText(
    'The event loop of the server is stuck.'
  );
  await inspect(page, 'resources-error');
});
