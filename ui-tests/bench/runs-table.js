// Opens the table of an experiment in a running JupyterLab and measures it: `node runs-table.js URL EXPERIMENT`.
// Prints one line of JSON: milliseconds to the first rows, and the longest that a visible row was blank.
const { chromium } = require('@playwright/test');

const FRAME = 16;
const WHEEL_STEPS = 250;
const WHEEL_PIXELS = 2400;
const DRAG_STEPS = 200;

/** In the page: from the command that opens the tab to the frame in which its first rows are drawn. */
function open(path) {
  return new Promise(resolve => {
    const started = performance.now();
    const look = () => {
      const row = document.querySelector(
        '.atelier-Runs .atelier-List-row:not([aria-busy])'
      );
      if (row && row.getBoundingClientRect().height > 0) {
        requestAnimationFrame(() => resolve(performance.now() - started));
      } else {
        requestAnimationFrame(look);
      }
    };
    void window.jupyterapp.commands.execute('atelier:open', { path });
    requestAnimationFrame(look);
  });
}

/** In the page: from now on, note for each row in sight how long it is blank. */
function watch() {
  const list = document.querySelector('.atelier-Runs .atelier-List');
  const height = 30;
  const since = new Map();
  const result = { row: 0, view: 0, frame: 0, rows: 0 };
  let viewSince = null;
  let last = performance.now();
  const look = () => {
    const now = performance.now();
    result.frame = Math.max(result.frame, now - last);
    last = now;
    const drawn = new Set();
    for (const row of list.querySelectorAll('.atelier-List-row')) {
      if (!row.hasAttribute('aria-busy')) {
        drawn.add(Number(row.getAttribute('aria-rowindex')) - 2);
      }
    }
    const first = Math.floor(list.scrollTop / height);
    const end = Math.floor(
      (list.scrollTop + list.clientHeight - height) / height
    );
    let isBlank = false;
    for (const [index, at] of since) {
      const isSeen = index >= first && index < end;
      if (!isSeen || drawn.has(index)) {
        result.row = Math.max(result.row, now - at);
        since.delete(index);
      }
    }
    for (let index = first; index < end; index += 1) {
      if (!drawn.has(index)) {
        isBlank = true;
        result.rows += 1;
        if (!since.has(index)) {
          since.set(index, now);
        }
      }
    }
    if (isBlank) {
      viewSince = viewSince ?? now;
      result.view = Math.max(result.view, now - viewSince);
    } else {
      viewSince = null;
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
  await page.waitForFunction(
    () => !document.querySelector('.atelier-Runs .atelier-List-row[aria-busy]')
  );
  await page.waitForTimeout(300);
}

async function byWheel(page, box) {
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  for (let step = 0; step < WHEEL_STEPS; step += 1) {
    await page.mouse.wheel(0, WHEEL_PIXELS);
    await page.waitForTimeout(FRAME);
  }
}

/** Take the thumb of the scroll bar, wherever it begins below a button that there may be, and pull it to the end. */
async function byDrag(page, box, list) {
  const x = box.x + box.width - 6;
  for (const offset of [6, 20, 30]) {
    const top = box.y + offset;
    const end = box.height - 2 * offset;
    await page.mouse.move(x, top);
    await page.mouse.down();
    await page.mouse.move(x, top + end / DRAG_STEPS + 3);
    await page.waitForTimeout(200);
    if (await list.evaluate(node => node.scrollTop > 1000)) {
      for (let step = 2; step <= DRAG_STEPS; step += 1) {
        await page.mouse.move(x, top + (end * step) / DRAG_STEPS);
        await page.waitForTimeout(FRAME);
      }
      await page.mouse.up();
      return;
    }
    await page.mouse.up();
    await list.evaluate(node => (node.scrollTop = 0));
  }
  throw new Error('The list has no scroll bar that can be dragged.');
}

async function main(url, experiment) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || undefined,
    ignoreDefaultArgs: ['--hide-scrollbars'],
    args: ['--no-sandbox', '--disable-gpu']
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
    await page.waitForTimeout(2000);
    const first = await page.evaluate(open, `experiments/${experiment}`);
    await settle(page);
    const list = page.locator('.atelier-Runs .atelier-List');
    const box = await list.boundingBox();
    const rowCount = Number(await list.getAttribute('aria-rowcount')) - 1;
    const scrolls = {};
    for (const [name, scroll] of Object.entries({
      wheel: byWheel,
      drag: byDrag
    })) {
      await list.evaluate(node => (node.scrollTop = 0));
      await settle(page);
      await page.evaluate(watch);
      await scroll(page, box, list);
      await settle(page);
      scrolls[name] = await page.evaluate(unwatch);
      scrolls[name].reached = await list.evaluate(node => node.scrollTop / 30);
    }
    console.log(JSON.stringify({ first, rowCount, scrolls }));
  } finally {
    await browser.close();
  }
}

main(...process.argv.slice(2)).catch(error => {
  console.error(error);
  process.exit(1);
});
