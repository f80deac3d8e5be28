// Home, the left panel, links, the launcher and the version handshake, against a real server.
import {
  EMPTY_URL,
  expect,
  expectNoSidewaysScroll,
  fail,
  hold,
  inspect,
  openLink,
  settled,
  test
} from './studio';

test.describe('an empty workspace', () => {
  test.use({ baseURL: EMPTY_URL });

  test('shows the quickstart and nothing else', async ({ page }) => {
    const tab = await openLink(page, 'home');
    await expect(
      tab.getByRole('heading', { name: 'Welcome to Atelier' })
    ).toBeVisible();
    await expect(tab.getByRole('heading')).toHaveCount(1);
    await inspect(page, 'home-empty');
  });
});

test('Home shows what runs, what waits and what was done last', async ({
  page
}) => {
  const tab = await openLink(page, 'home');
  const now = tab.getByRole('region', { name: 'Now' });
  await expect(
    now.getByRole('button', { name: 'live-training' })
  ).toBeVisible();
  await expect(now.getByText('In service').first()).toBeVisible();
  const waiting = tab.getByRole('region', { name: 'Needs you' });
  await expect(
    waiting.getByRole('button', { name: 'census-candidate' })
  ).toBeVisible();
  await expect(
    waiting.getByRole('button', { name: 'Approve census-linear version 1' })
  ).toBeVisible();
  await page.getByRole('tab', { name: 'Atelier' }).first().click();
  await inspect(page, 'home-full');
  if (process.env.ATELIER_UPDATE_IMAGES) {
    await page.screenshot({ path: '../docs/images/home.png' });
  }
});

test('a version can be rejected from Home with a note', async ({ page }) => {
  const tab = await openLink(page, 'home');
  await tab
    .getByRole('button', { name: 'Reject census-linear version 1' })
    .click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox').fill('Not as good as the trees.');
  await dialog.getByRole('button', { name: 'Reject' }).click();
  await expect(
    tab.getByRole('button', { name: 'Reject census-linear version 1' })
  ).toHaveCount(0);
  const version = await openLink(page, 'model/census-linear/1');
  await expect(version.getByText('Not as good as the trees.')).toBeVisible();
});

test('Home shows a skeleton while it loads', async ({ page }) => {
  const release = await hold(page, 'home*');
  const tab = await openLink(page, 'home');
  await expect(tab.locator('.atelier-Skeleton').first()).toBeVisible();
  await inspect(page, 'home-loading');
  release();
  await settled(tab);
  await expect(tab.getByRole('heading', { name: 'Now' })).toBeVisible();
});

test('Home says what failed, and tries again', async ({ page }) => {
  await fail(page, 'home*', 'The catalog is locked by another process.');
  const tab = await openLink(page, 'home');
  await expect(tab.getByRole('alert')).toContainText(
    'The catalog is locked by another process.'
  );
  await inspect(page, 'home-error');
  await page.unroute('**/studio/api/home*');
  await tab.getByRole('button', { name: 'Try again' }).click();
  await expect(tab.getByRole('heading', { name: 'Now' })).toBeVisible();
});

test('the left panel leads to every room and counts', async ({ page }) => {
  await openLink(page, 'home');
  await page.getByRole('tab', { name: 'Atelier' }).first().click();
  const navigation = page.getByRole('navigation', { name: 'Atelier' });
  await expect(
    navigation.getByRole('button', { name: /Endpoints\s*\d up/ })
  ).toBeVisible();
  await expect(
    navigation.getByRole('button', { name: /Home\s*\d+ running/ })
  ).toBeVisible();
  for (const room of ['Experiments', 'Models', 'Endpoints']) {
    await navigation.getByRole('button', { name: room }).click();
    await expect(
      page.locator('.atelier-Page:visible').getByRole('grid').first()
    ).toBeVisible();
    await expect(navigation.locator('[aria-current]')).toContainText(room);
  }
});

test('a link opens its page, leaves the address, and the tab survives a reload', async ({
  page
}) => {
  const tab = await openLink(page, 'experiments/census-income');
  await expect(
    tab.getByRole('heading', { name: 'census-income' })
  ).toBeVisible();
  await expect(page).not.toHaveURL(/atelier=/);
  // A tab that is restored must not need the link again: wait until the layout has been written.
  await page.waitForResponse(
    reply =>
      reply.url().includes('/api/workspaces') &&
      reply.request().method() === 'PUT'
  );
  await page.reload();
  await expect(
    page
      .locator('.atelier-Page:visible')
      .getByRole('heading', { name: 'census-income' })
  ).toBeVisible();
});

test('Copy Link copies an address that opens the page', async ({ page }) => {
  const tab = await openLink(page, 'endpoints');
  await tab.getByRole('button', { name: 'More' }).click();
  await page.getByRole('menuitem', { name: 'Copy Link' }).click();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  expect(link).toMatch(/\/lab\?atelier=endpoints$/);
});

test('the launcher has a card for every room', async ({ page }) => {
  await page.goto();
  const launcher = page.locator('.jp-Launcher');
  for (const card of [
    'Home',
    'Experiments',
    'Models',
    'Endpoints',
    'Quickstart'
  ]) {
    await expect(
      launcher.locator('.jp-LauncherCard', { hasText: new RegExp(`^${card}$`) })
    ).toBeVisible();
  }
  await launcher.locator('.jp-LauncherCard', { hasText: /^Models$/ }).click();
  await expect(page.locator('.atelier-Page:visible')).toBeVisible();
});

test('a server of another version asks for a reload', async ({ page }) => {
  await page.route('**/studio/api/home*', async route => {
    const response = await route.fetch();
    await route.fulfill({
      response,
      headers: { ...response.headers(), 'x-atelier-version': '99.0.0' }
    });
  });
  const tab = await openLink(page, 'home');
  await expect(tab.getByRole('alert')).toContainText('99.0.0');
  await inspect(page, 'home-stale');
  await page.unroute('**/studio/api/home*');
  await tab.getByRole('button', { name: 'Reload' }).click();
  await expect(
    page.locator('.atelier-Page:visible').getByRole('heading', { name: 'Now' })
  ).toBeVisible();
});

test('at a zoom of 200 % nothing is lost', async ({ page }) => {
  await page.setViewportSize({ width: 720, height: 450 });
  const home = await openLink(page, 'home');
  await expect(home.getByRole('heading', { name: 'Continue' })).toBeAttached();
  await page.sidebar.close('left');
  await expectNoSidewaysScroll(home);
  await page.screenshot({ path: 'screenshots/home-zoom.png' });
  const runs = await openLink(page, 'experiments/census-income');
  await page.sidebar.close('left');
  const grid = runs.getByRole('grid', { name: 'Runs' });
  await expect(grid.getByRole('row').nth(3)).toBeAttached();
  await expectNoSidewaysScroll(runs);
  await grid.scrollIntoViewIfNeeded();
  await page.screenshot({ path: 'screenshots/experiments-zoom.png' });
});
