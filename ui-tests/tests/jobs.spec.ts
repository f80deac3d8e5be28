// The list of jobs and the page of one, against real jobs.
import {
  EMPTY_URL,
  expect,
  expectNoSidewaysScroll,
  fail,
  hold,
  inspect,
  openLink,
  seeded,
  settled,
  test
} from './studio';

test('the list of jobs is filtered, and tells what can be done with some', async ({
  page
}) => {
  const tab = await openLink(page, 'jobs');
  const list = tab.getByRole('grid', { name: 'Jobs' });
  await expect(list.getByRole('row', { name: /live-job/ })).toContainText(
    'left'
  );
  await list.getByRole('row', { name: /spot-job/ }).click();
  const details = tab.getByRole('complementary', { name: 'Job details' });
  await expect(details).toContainText('spot_job.py');
  await settled(tab);
  await inspect(page, 'jobs-list');
  await expectNoSidewaysScroll(tab);
  await tab.getByRole('button', { name: 'Failed' }).click();
  await tab.getByRole('searchbox', { name: 'Search jobs' }).fill('broken');
  await expect(list.getByRole('row')).toHaveCount(2);
  await list.getByRole('checkbox', { name: 'Select broken-job' }).check();
  const bulk = tab.getByRole('region', { name: 'Selected jobs' });
  await expect(bulk.getByRole('button', { name: 'Stop' })).toBeDisabled();
  await bulk.getByRole('button', { name: 'Delete…' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('lost for good');
  await dialog.getByRole('button', { name: 'Keep them' }).click();
  await inspect(page, 'jobs-selected');
  await tab.getByRole('searchbox', { name: 'Search jobs' }).fill('nothing');
  await tab.getByRole('button', { name: 'Show all jobs' }).click();
  await list.focus();
  await page.keyboard.press('/');
  await expect(
    tab.getByRole('searchbox', { name: 'Search jobs' })
  ).toBeFocused();
});

test.describe('an empty workspace', () => {
  test.use({ baseURL: EMPTY_URL });

  test('says how to submit a job', async ({ page }) => {
    const tab = await openLink(page, 'jobs');
    await expect(
      tab.getByRole('heading', { name: 'No jobs yet' })
    ).toBeVisible();
    await inspect(page, 'jobs-empty');
  });
});

test('the list shows a skeleton while it loads', async ({ page }) => {
  const release = await hold(page, 'jobs?*');
  const tab = await openLink(page, 'jobs');
  await expect(tab.locator('.atelier-Skeleton').first()).toBeVisible();
  release();
  await expect(tab.getByRole('grid', { name: 'Jobs' })).toBeVisible();
});

test('the list says what failed', async ({ page }) => {
  await fail(page, 'jobs?*', 'The catalog is locked by another process.');
  const tab = await openLink(page, 'jobs');
  await expect(tab.getByRole('alert')).toContainText(
    'locked by another process'
  );
  await inspect(page, 'jobs-error');
});

test('the page of a job shows its log, charts, resources, outputs and spec', async ({
  page
}) => {
  let tab = await openLink(page, `run/${seeded().job_run}`);
  await tab.getByRole('button', { name: 'Job train-job' }).click();
  tab = page.locator('.atelier-Page:visible');
  await expect(tab.getByRole('heading', { name: 'train-job' })).toBeVisible();
  await expect(tab.getByText('census-by-job version 1')).toBeVisible();
  await expect(
    tab.getByRole('table', { name: 'Metrics' }).getByRole('row')
  ).toHaveCount(3);
  await settled(tab);
  await inspect(page, 'job-overview');

  await tab.getByRole('tab', { name: 'Logs' }).click();
  const log = tab.getByRole('region', { name: 'Log' });
  await expect(log.getByText('closing shard 1499')).toBeVisible();
  expect(await log.locator('.atelier-LogView-line').count()).toBeLessThan(100);
  const search = tab.getByRole('searchbox', { name: 'Search the log' });
  await search.fill('NEEDLE');
  await search.press('Enter');
  await expect(log.locator('mark', { hasText: 'needle' })).toBeVisible();
  await expect(log.getByText('<script>alert(1)</script>')).toBeVisible();
  await search.fill('batch 00007');
  await tab.getByRole('button', { name: 'Next' }).click();
  await expect(log.locator('[data-found]')).toContainText('batch 00007');
  await expect(tab.getByText('1 line matches.')).toBeVisible();
  await search.fill('warning');
  await tab.getByRole('button', { name: 'Previous' }).click();
  await tab.getByRole('button', { name: 'Next' }).click();
  await expect(log.locator('[data-found]')).toContainText('WARNING');
  await inspect(page, 'job-log');
  await tab.getByRole('slider', { name: 'Place in the log' }).fill('0');
  await expect(log.getByText('Training', { exact: true })).toBeVisible();
  await log.evaluate(node => node.scrollTo(0, node.scrollHeight));
  await expect(log.getByText('Training', { exact: true })).toBeHidden();
  await tab.getByRole('button', { name: 'Follow' }).click();
  await expect(log.getByText('closing shard 1499')).toBeVisible();

  await tab.getByRole('tab', { name: 'Charts' }).click();
  await expect(tab.locator('.atelier-Figure .main-svg').first()).toBeVisible();
  await tab.getByRole('tab', { name: /Outputs/ }).click();
  const files = tab.getByRole('grid', { name: 'Files' });
  await files.getByRole('button', { name: 'model/' }).click();
  await files.getByText('README.md').click();
  await expect(tab.locator('strong', { hasText: 'job' })).toBeVisible();
  await inspect(page, 'job-outputs');
  await tab.getByRole('tab', { name: 'Spec' }).click();
  await expect(tab.getByRole('table', { name: 'What runs' })).toContainText(
    'train_job.py'
  );
  await inspect(page, 'job-spec');
  await tab.getByRole('button', { name: /^Run / }).click();
  await expect(
    page.locator('.atelier-Page:visible').getByText('Job train-job')
  ).toBeVisible();
});

test('a failure is explained, and interruptions are shown with what they cost', async ({
  page
}) => {
  let tab = await openLink(page, 'job/broken-job');
  const failure = tab.getByRole('alert', { name: 'Why it failed' });
  await expect(failure).toContainText('broken_job.py, line 6');
  await expect(failure).toContainText('row["age"] for row in rows');
  await failure.getByText('What it printed last').click();
  await expect(failure.locator('pre').last()).toContainText(
    'reading the table'
  );
  await settled(tab);
  await inspect(page, 'job-failed');
  tab = await openLink(page, 'job/spot-job');
  await expect(
    tab.getByRole('table', { name: 'Attempts' }).getByRole('row')
  ).toHaveCount(4);
  await expect(tab.getByRole('table', { name: 'Savings' })).toContainText(
    'Interruptions'
  );
  await settled(tab);
  await inspect(page, 'job-spot');
  await tab.getByRole('tab', { name: 'Logs' }).click();
  await tab.getByRole('combobox', { name: 'Attempt' }).selectOption('1');
  await expect(tab.getByText('from step 0')).toBeVisible();
});

test('a running job is followed from Home to its end, and its end is told', async ({
  page
}) => {
  // The browser of the tests has no desktop: what would be told there is kept.
  await page.addInitScript(() => {
    const told: string[] = [];
    Object.assign(window, {
      told,
      Notification: class {
        static permission = 'granted';
        static requestPermission = async () => 'granted';
        constructor(title: string) {
          told.push(title);
        }
      }
    });
  });
  let tab = await openLink(page, 'jobs');
  const desktop = 'Desktop Notification When a Job Ends';
  await tab.getByRole('button', { name: 'More' }).click();
  await page.getByRole('menuitem', { name: desktop }).click();
  await tab.getByRole('button', { name: 'More' }).click();
  await expect(
    page.getByRole('menuitemcheckbox', { name: desktop, checked: true })
  ).toBeVisible();
  await page.keyboard.press('Escape');
  tab = await openLink(page, 'home');
  const now = tab.getByRole('region', { name: 'Now' });
  await expect(now.getByRole('button', { name: 'live-job' })).toBeVisible();
  await expect(
    now.getByRole('progressbar', { name: 'Progress of live-job' })
  ).toBeVisible();
  await expect(tab.getByRole('region', { name: 'Needs you' })).toContainText(
    'broken-job'
  );
  await settled(tab);
  await inspect(page, 'jobs-home');
  await now.getByRole('button', { name: 'live-job' }).click();
  tab = page.locator('.atelier-Page:visible');
  await expect(tab.getByText('Running', { exact: true })).toBeVisible();
  await tab.getByRole('tab', { name: 'Logs' }).click();
  const log = tab.getByRole('region', { name: 'Log' });
  const lastLine = () => log.locator('.atelier-LogView-line').last();
  const before = await lastLine().textContent();
  await expect(lastLine()).not.toHaveText(before ?? '');
  await tab.getByRole('tab', { name: 'Resources' }).click();
  await expect(tab.locator('.atelier-Figure .main-svg').first()).toBeVisible();
  await settled(tab);
  await inspect(page, 'job-resources');
  await tab.getByRole('tab', { name: 'Overview' }).click();
  await inspect(page, 'job-running');
  await tab.getByRole('button', { name: 'Stop' }).click();
  await expect(tab.getByText('Stopped', { exact: true }).first()).toBeVisible();
  await expect(page.getByText(/live-job: Stopped after/)).toBeVisible();
  expect(await page.evaluate('told')).toEqual([
    expect.stringMatching(/^live-job: Stopped after/)
  ]);
  await page.getByRole('button', { name: 'Open job' }).click();
  await tab.getByRole('button', { name: 'More' }).click();
  await page.getByRole('menuitem', { name: 'Delete…' }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: 'Delete' })
    .click();
  await expect(tab.getByText('The job live-job was deleted')).toBeVisible();
});
