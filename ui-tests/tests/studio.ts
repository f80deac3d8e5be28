// What the tests of every room need: opening pages, waiting for them, looking at them in both themes and sizes.
import AxeBuilder from '@axe-core/playwright';
import {
  IJupyterLabPageFixture,
  expect,
  test as galata
} from '@jupyterlab/galata';
import type { Locator } from '@playwright/test';
import * as path from 'path';

type Page = IJupyterLabPageFixture;

/** Galata's test, which opens nothing by itself and does not wait for a launcher: a link may open another tab. */
export const test = galata.extend({
  autoGoto: false,
  waitForApplication: async ({ baseURL }, use) => {
    await use(async page => {
      await page.locator('#jupyterlab-splash').waitFor({ state: 'detached' });
      await page
        .locator('#jp-main-dock-panel .lm-TabBar-tab')
        .first()
        .waitFor();
    });
  }
});

export { expect };

/** The server whose workspace is empty. */
export const EMPTY_URL = `http://127.0.0.1:${process.env.ATELIER_UI_EMPTY_PORT}`;

/** The ids that `seed.py` gave to what it made. */
export function seeded(): {
  run: string;
  spare: string;
  live: string[];
  compared: string[];
  watched: string[];
  job_run: string;
} {
  return JSON.parse(process.env.ATELIER_UI_SEED ?? '{}');
}

/** Open a page of Atelier by its link, and return the tab in sight. */
export async function openLink(page: Page, link: string): Promise<Locator> {
  await page.goto(`?atelier=${link}`);
  const tab = page.locator('.atelier-Page:visible');
  await expect(tab).toBeVisible();
  return tab;
}

/** Wait until nothing in a tab is loading. */
export async function settled(tab: Locator): Promise<void> {
  await expect(tab.locator('[data-state="loading"]')).toHaveCount(0);
  await expect(tab.locator('figure[aria-busy="true"]')).toHaveCount(0);
}

/** Hold back the answers to a path of the API until the returned function is called. */
export async function hold(page: Page, pattern: string): Promise<() => void> {
  let release: () => void = () => undefined;
  const released = new Promise<void>(resolve => (release = resolve));
  await page.route(`**/studio/api/${pattern}`, async route => {
    await released;
    await route.continue();
  });
  return release;
}

/** Let a path of the API fail with an error of Atelier's server. */
export async function fail(
  page: Page,
  pattern: string,
  message: string
): Promise<void> {
  await page.route(`**/studio/api/${pattern}`, route =>
    route.fulfill({
      status: 503,
      contentType: 'application/json',
      body: JSON.stringify({ error: { code: 'UnavailableError', message } })
    })
  );
}

const SIZES = [
  { width: 1440, height: 900 },
  { width: 1024, height: 768 }
];

/** Pictures take a third of the time of all browser tests: they are made for whoever wants to look at them. */
const HAS_PICTURES = Boolean(process.env.ATELIER_SCREENSHOTS);

/**
 * Check a page with axe, light and dark; with `ATELIER_SCREENSHOTS=1` keep pictures of it, large and small.
 *
 * The themes differ in colours alone, so that everything else is checked once.
 */
export async function inspect(page: Page, name: string): Promise<void> {
  for (const theme of ['Light', 'Dark']) {
    await page.theme.setTheme(`JupyterLab ${theme}`);
    await expect(page.locator('body')).toHaveAttribute(
      'data-jp-theme-light',
      String(theme === 'Light')
    );
    if (HAS_PICTURES) {
      await photograph(page, `${name}-${theme.toLowerCase()}`);
    }
    await expectAccessible(page, theme === 'Light' ? [] : ['color-contrast']);
  }
  await page.theme.setTheme('JupyterLab Light');
}

async function photograph(page: Page, name: string): Promise<void> {
  const folder = path.join(__dirname, '..', 'screenshots');
  for (const size of SIZES) {
    await page.setViewportSize(size);
    await settledFigures(page);
    await page.screenshot({
      path: path.join(folder, `${name}-${size.width}.png`)
    });
  }
  await page.setViewportSize(SIZES[0]);
}

/** Wait until every figure in sight has the width of its place. */
async function settledFigures(page: Page): Promise<void> {
  await page.waitForFunction(() =>
    [...document.querySelectorAll('.atelier-Figure-plot')].every(plot => {
      const drawing = plot.querySelector('.main-svg');
      const box = plot.getBoundingClientRect();
      return (
        !drawing ||
        box.width === 0 ||
        Math.abs(drawing.getBoundingClientRect().width - box.width) < 2
      );
    })
  );
}

/** No serious or critical finding in Atelier's part of the page, by some rules or by all. */
export async function expectAccessible(
  page: Page,
  rules: string[] = []
): Promise<void> {
  // Legacy mode looks into no frame of another origin, of which there are none, and takes a third of the time.
  const tab = '.atelier-Page:not(.lm-mod-hidden)';
  const hasPage = (await page.locator(tab).count()) > 0;
  let builder = new AxeBuilder({ page })
    .setLegacyMode(true)
    .include(hasPage ? tab : '.atelier-FrameWidget');
  if (rules.length) {
    builder = builder.withRules(rules);
  }
  if (await page.locator('.atelier-Panel:visible').count()) {
    builder = builder.include('.atelier-Panel');
  }
  const { violations } = await builder.analyze();
  const serious = violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => ({
      id,
      nodes: nodes.map(node => `${node.html} ${node.failureSummary}`)
    }));
  expect(serious).toEqual([]);
}

/** A page fits the width of its tab; only tables scroll sideways. */
export async function expectNoSidewaysScroll(tab: Locator): Promise<void> {
  const body = tab.locator('.atelier-PageBody');
  await expect
    .poll(() => body.evaluate(node => node.scrollWidth - node.clientWidth))
    .toBeLessThanOrEqual(1);
}
