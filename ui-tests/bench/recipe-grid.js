// Opens a recipe on a large table in a running JupyterLab and scrolls in its grid: `node recipe-grid.js URL PATH ROWS`.
// Prints one line of JSON: the longest that a cell in sight waited for its rows, in milliseconds, by way of moving.
const { chromium } = require('@playwright/test');

const FRAME = 16;
const GRID = '.atelier-Rows-canvas';

/** In the page: from now on, note how long cells in sight wait. */
function watch(selector) {
  const node = document.querySelector(selector);
  const result = { longest: 0, frame: 0 };
  let since = null;
  let last = performance.now();
  const look = () => {
    const now = performance.now();
    result.frame = Math.max(result.frame, now - last);
    last = now;
    if (node.getAttribute('aria-busy') === 'true') {
      since = since ?? now;
      result.longest = Math.max(result.longest, now - since);
    } else {
      since = null;
    }
    window.atelierBlank = result;
    window.atelierLook = requestAnimationFrame(look);
  };
  look();
}

function unwatch() {
  cancelAnimationFrame(window.atelierLook);
  return window.atelierBlank;
}

async function settle(page) {
  await page.waitForTimeout(300);
  await page.waitForFunction(
    selector =>
      document.querySelector(selector).getAttribute('aria-busy') !== 'true',
    GRID
  );
}

async function main(url, path, rows) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || undefined,
    ignoreDefaultArgs: ['--hide-scrollbars'],
    // Without a GPU: drawn by SwiftShader, which moves a canvas much sooner than --disable-gpu does.
    args: [
      '--no-sandbox',
      '--use-gl=angle',
      '--use-angle=swiftshader',
      '--enable-unsafe-swiftshader'
    ]
  });
  try {
    const page = await browser.newPage({
      viewport: { width: 1440, height: 900 }
    });
    await page.goto(url);
    await page.locator('#jupyterlab-splash').waitFor({ state: 'detached' });
    await page.waitForFunction(
      () => window.jupyterapp?.commands.hasCommand('atelier:open') ?? false
    );
    await page.evaluate(
      file =>
        window.jupyterapp.commands
          .execute('docmanager:open', { path: file })
          .then(() => null),
      path
    );
    const shown = Number(rows).toLocaleString('en');
    await page.getByText(`${shown} rows`).waitFor({ timeout: 120000 });
    await page.waitForTimeout(5000);
    const box = await page.locator(GRID).boundingBox();
    const found = {};
    const measure = async (name, move) => {
      await settle(page);
      await page.evaluate(watch, GRID);
      await move();
      await settle(page);
      found[name] = await page.evaluate(unwatch);
    };
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await measure('wheel', async () => {
      for (let step = 0; step < 100; step += 1) {
        await page.mouse.wheel(0, 600);
        await page.waitForTimeout(FRAME);
      }
    });
    const x = box.x + box.width - 8;
    const top = box.y + 24;
    const track = box.height - 64;
    await measure('drag', async () => {
      await page.mouse.move(x, top + 4);
      await page.mouse.down();
      for (let step = 1; step <= 60; step += 1) {
        await page.mouse.move(x, top + 4 + (track * step) / 60);
        await page.waitForTimeout(FRAME);
      }
      await page.mouse.up();
    });
    await measure('jump', async () => {
      for (let place = 1; place <= 10; place += 1) {
        await page.getByRole('button', { name: 'Go to …' }).click();
        const row = Math.round((place * 7919 * 131) % Number(rows));
        await page.locator('.jp-Dialog input').first().fill(String(row));
        await page.locator('.jp-Dialog .jp-mod-accept').click();
        await settle(page);
      }
    });
    console.log(JSON.stringify(found));
  } finally {
    await browser.close();
  }
}

main(...process.argv.slice(2)).catch(error => {
  console.error(error);
  process.exit(1);
});
