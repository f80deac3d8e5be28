// Run as job: from the notebook's toolbar and the file browser to a job or a schedule, against a real server.
import { IJupyterLabPageFixture } from '@jupyterlab/galata';

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

const SCRIPT = `import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--depth", type=int, default=6, help="How deep the trees are")
parser.add_argument("--booster", choices=["hist", "exact"], default="hist")
parser.add_argument("--verbose", action="store_true")
print(parser.parse_args())
`;

const NOTEBOOK = JSON.stringify({
  cells: [
    {
      cell_type: 'code',
      id: 'parameters',
      execution_count: null,
      metadata: { tags: ['parameters'] },
      outputs: [],
      source: 'rate = 0.1  # learning rate\nname = "census"\nis_quick = True'
    }
  ],
  metadata: {
    kernelspec: {
      name: 'python3',
      display_name: 'Python 3',
      language: 'python'
    }
  },
  nbformat: 4,
  nbformat_minor: 5
});

/** The link to the form of a file: its path is one segment. */
function formOf(path: string): string {
  return `run-as-job/${encodeURIComponent(encodeURIComponent(path))}`;
}

/** A name that no other run of the tests has taken. */
function unique(name: string): string {
  return `${name}-${Date.now().toString(36)}`;
}

async function upload(
  page: IJupyterLabPageFixture,
  content: string,
  path: string
): Promise<void> {
  await page.contents.uploadContent(content, 'text', path);
}

test('a notebook is saved and run from its toolbar', async ({
  page,
  tmpPath
}) => {
  const path = `${tmpPath}/report.ipynb`;
  await upload(page, NOTEBOOK, path);
  await page.goto(`tree/${path}`);
  const notebook = page.locator('.jp-NotebookPanel:visible');
  await notebook.locator('.jp-Cell .cm-content').first().click();
  await page.keyboard.press('Control+End');
  await page.keyboard.type('\ndepth = 4');
  await page.screenshot({ path: 'screenshots/run-as-job-toolbar.png' });
  await notebook
    .locator('.jp-NotebookPanel-toolbar')
    .getByRole('button', { name: /Run as Job|Run this notebook/ })
    .click();
  const tab = page.locator('.atelier-Page:visible');
  await expect(
    tab.getByRole('heading', { name: 'Run report.ipynb as a job' })
  ).toBeVisible();
  await expect(tab.getByLabel('depth', { exact: true })).toHaveValue('4');
  const rate = tab.getByLabel('rate', { exact: true });
  await expect(rate).toHaveValue('0.1');
  await expect(tab.getByLabel('is_quick')).toHaveValue('true');
  await inspect(page, 'run-as-job-notebook');

  await rate.fill('fast');
  await tab.getByLabel('Memory').fill('lots');
  await tab.getByLabel('Processors').fill('0');
  await rate.press('Enter');
  await expect(tab.getByText('A number is needed.')).toBeVisible();
  await expect(tab.getByText('A size such as 512MiB or 4GiB.')).toBeVisible();
  await expect(rate).toBeFocused();
  await inspect(page, 'run-as-job-faults');

  await rate.fill('0.5');
  await tab.getByLabel('Memory').fill('');
  await tab.getByLabel('Processors').fill('1');
  await tab.getByLabel('Name of the job').fill(unique('report'));
  await tab.getByRole('button', { name: 'Show as code' }).click();
  await expect(tab.getByLabel('The same in Python')).toContainText(
    'params={"rate": 0.5}'
  );
  await tab.getByRole('button', { name: 'Run', exact: true }).click();
  await expect(tab.getByRole('status')).toContainText('Done.');
  await page
    .locator('.Toastify__toast')
    .getByRole('button', { name: 'Open job' })
    .click();
  await expect(
    page.locator('.atelier-Page:visible').getByRole('heading', {
      name: /^report-/
    })
  ).toBeVisible();
});

test('a script is run from the file browser, by a schedule', async ({
  page,
  tmpPath
}) => {
  await upload(page, SCRIPT, `${tmpPath}/train.py`);
  await page.goto(`tree/${tmpPath}`);
  await page
    .locator('.jp-DirListing-item', { hasText: 'train.py' })
    .click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Run as Job…' }).click();
  const tab = page.locator('.atelier-Page:visible');
  await expect(tab.getByLabel('depth', { exact: true })).toHaveValue('6');
  await expect(tab.getByText('How deep the trees are')).toBeVisible();
  await expect(
    tab.getByText(/take no value or several: verbose/)
  ).toBeVisible();
  await tab.getByRole('button', { name: 'Add a parameter' }).click();
  await tab.getByLabel('Parameter 1', { exact: true }).fill('--x');
  await expect(tab.getByText(/beginning with a letter/)).toBeVisible();
  await tab.getByRole('button', { name: 'Remove the parameter 1' }).click();
  await tab.getByRole('button', { name: 'Add an input' }).click();
  await tab.getByLabel('Channel 1').fill('train');
  await tab.getByLabel('File, folder or address 1').fill('gone.csv');

  const name = unique('nightly');
  await tab.getByLabel('When', { exact: true }).selectOption('cron');
  await tab.getByLabel('Name of the schedule').fill(name);
  await tab.getByLabel('Time zone').selectOption('Europe/Berlin');
  const times = tab.getByRole('list', { name: 'Next times' });
  await expect(times.getByRole('listitem')).toHaveCount(5);
  await expect(times.getByRole('listitem').first()).toContainText('3:00');
  await inspect(page, 'run-as-job-script');
  await tab.getByLabel('Cron expression').fill('0 3 * *');
  await expect(tab.getByText(/five fields are needed/)).toBeVisible();
  await expect(times).toHaveCount(0);
  await tab.getByLabel('Cron expression').fill('30 4 * * *');
  await expect(times.getByRole('listitem').first()).toContainText('4:30');

  await tab.getByRole('button', { name: 'Make the schedule' }).click();
  await expect(tab.getByText(/There is no 'gone.csv'/)).toBeVisible();
  await tab.getByRole('button', { name: 'Remove the input 1' }).click();
  await tab.getByRole('button', { name: 'Make the schedule' }).click();
  await tab
    .getByRole('status')
    .getByRole('button', { name: 'Open schedules' })
    .click();

  const schedules = page.locator('.atelier-Page:visible');
  const row = schedules
    .getByRole('table', { name: 'Schedules' })
    .getByRole('row', { name: new RegExp(name) });
  await expect(row).toContainText('Europe/Berlin');
  await row.getByRole('button', { name: `Run ${name} now` }).click();
  await expect(row).toContainText(/Completed/);
  await inspect(page, 'schedules-full');
  await row.getByRole('button', { name: `Pause ${name}` }).click();
  await expect(row).toContainText('Paused');
  await row.getByRole('button', { name: `Resume ${name}` }).click();
  await row.getByRole('button', { name: `More about ${name}` }).click();
  await page.getByRole('menuitem', { name: 'Edit Times…' }).click();
  const edit = schedules.getByRole('form', { name: `Times of ${name}` });
  await edit.getByLabel('When', { exact: true }).selectOption('every');
  await edit.getByLabel('Every', { exact: true }).fill('90min');
  await expect(edit.getByRole('listitem')).toHaveCount(5);
  await inspect(page, 'schedules-edit');
  await edit.getByRole('button', { name: 'Save' }).click();
  await expect(row).toContainText('Every 1 hour 30 minutes');
  await row.getByRole('button', { name: `More about ${name}` }).click();
  await page.getByRole('menuitem', { name: 'Delete…' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('Jobs that it has made stay.');
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await expect(row).toHaveCount(0);
});

test('a file that cannot be run says why', async ({ page, tmpPath }) => {
  await upload(page, 'a = = 1\n', `${tmpPath}/broken.py`);
  const tab = await openLink(page, formOf(`${tmpPath}/broken.py`));
  await expect(tab.getByRole('alert')).toContainText(
    "'broken.py' is not Python: line 1"
  );
  await inspect(page, 'run-as-job-error');
});

test('the form loads behind a skeleton', async ({ page, tmpPath }) => {
  await upload(page, SCRIPT, `${tmpPath}/train.py`);
  const release = await hold(page, 'submissions/form*');
  const tab = await openLink(page, formOf(`${tmpPath}/train.py`));
  await expect(tab.locator('.atelier-Skeleton').first()).toBeVisible();
  await inspect(page, 'run-as-job-loading');
  release();
  await settled(tab);
  await expect(tab.getByLabel('depth', { exact: true })).toBeVisible();
});

test('schedules that cannot be read say why', async ({ page }) => {
  await fail(page, 'schedules*', 'The folder of the schedules is gone.');
  const tab = await openLink(page, 'schedules');
  await expect(tab.getByRole('alert')).toContainText('is gone');
  await inspect(page, 'schedules-error');
});

test.describe('an empty workspace', () => {
  test.use({ baseURL: EMPTY_URL });

  test('says how to make a schedule', async ({ page }) => {
    const tab = await openLink(page, 'schedules');
    await expect(
      tab.getByRole('heading', { name: 'No schedules yet' })
    ).toBeVisible();
    await inspect(page, 'schedules-empty');
  });
});
