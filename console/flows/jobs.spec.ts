import { expect, GUARDED, OPEN, putJob, test } from './fixtures.ts';

const job = async (name: string) =>
  (await (await fetch(`${OPEN()}/api/v1/jobs/${name.replaceAll('/', ':')}`)).json()) as Record<string, unknown>;

test('jobs are found by the beginning of their names and by labels, and the list is its address', async ({ page }) => {
  await putJob('list/one', { labels: { team: 'blue' } });
  await putJob('list/two', { labels: { team: 'red' }, trigger: { fixed_rate: '1h' } });
  await page.goto(`${OPEN()}/jobs`);
  await page.getByLabel('Beginning of the name').fill('list/');
  await page.getByRole('button', { name: 'Filter', exact: true }).click();
  await expect(page).toHaveURL(/\/jobs\?prefix=list\/$/);
  await expect(page.locator('.job-body [role=row]')).toHaveCount(2);
  await expect(page.locator('.job-body [role=row]').last()).toContainText('every 1h');
  await page.getByLabel('Label, or label=value').fill('team=blue');
  await page.getByRole('button', { name: 'Filter', exact: true }).click();
  await expect(page.locator('.job-body [role=row]')).toHaveCount(1);
  await page.reload();
  await expect(page.locator('.job-body [role=row]')).toHaveCount(1);
  await page.getByRole('button', { name: 'Remove the label team=blue' }).click();
  await expect(page.locator('.job-body [role=row]')).toHaveCount(2);
  await page.goBack();
  await expect(page.locator('.job-body [role=row]')).toHaveCount(1);
  await page.goto(`${OPEN()}/jobs?prefix=nothing-has-this`);
  await expect(page.getByText('No job fits these filters')).toBeVisible();
});

test('a list of many jobs goes on where it ended', async ({ page }) => {
  for (let at = 100; at < 160; at += 1) await putJob(`many/${at}`, {});
  await page.goto(`${OPEN()}/jobs?prefix=many/`);
  await expect(page.getByText('50 jobs are shown')).toBeVisible();
  await page.getByRole('button', { name: 'Load more' }).click();
  await expect(page.getByText('60 jobs are shown')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Load more' })).toHaveCount(0);
});

test('a job is paused with a reason, resumed, run and deleted', async ({ page }) => {
  const name = 'deeds/one';
  await putJob(name, { trigger: { fixed_rate: '1h' } });
  await page.goto(`${OPEN()}/jobs?prefix=deeds/`);
  const menu = page.getByRole('button', { name: `Actions for ${name}` });
  const choose = async (deed: string) => {
    await menu.click();
    await page.getByRole('menuitem', { name: deed }).click();
  };
  await choose('Pause…');
  const dialog = page.getByRole('alertdialog');
  await expect(dialog).toContainText('it makes no runs');
  await dialog.getByLabel('Why').fill('the <b>store</b> moves');
  await dialog.getByRole('button', { name: 'Pause the job' }).click();
  await expect(dialog).toHaveCount(0);
  await expect(page.locator('.job-body .state')).toHaveText('paused');
  await expect(page.locator('.job-remark')).toContainText('the <b>store</b> moves');
  expect(await job(name)).toMatchObject({ state: 'paused', pause_note: 'the <b>store</b> moves' });

  await choose('Resume…');
  await dialog.getByRole('button', { name: 'Resume the job' }).click();
  await expect(page.locator('.job-body .state')).toHaveText('active');

  await choose('Run now…');
  await dialog.getByRole('button', { name: 'Run it now' }).click();
  await expect(dialog.getByRole('link')).toHaveAttribute('href', /\/runs\/.*deeds:one$/);
  await dialog.getByRole('button', { name: 'Close' }).last().click();

  await choose('Delete…');
  await expect(dialog).toContainText('This cannot be taken back');
  await dialog.getByRole('button', { name: 'Keep it' }).click();
  await expect(page.locator('.job-body .state')).toHaveText('active');
  await choose('Delete…');
  await dialog.getByRole('button', { name: 'Delete the job' }).click();
  await expect(dialog).toContainText('It is deleted.');
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  await expect(page.getByText('No job fits these filters')).toBeVisible();
});

test('a job that was changed since it was read, or is followed, is not deleted unasked', async ({ page }) => {
  await putJob('kept/first', {});
  await putJob('kept/second', { trigger: { after: 'kept/first' } });
  await page.goto(`${OPEN()}/jobs?prefix=kept/first`);
  const open = async () => {
    await page.getByRole('button', { name: 'Actions for kept/first' }).click();
    await page.getByRole('menuitem', { name: 'Delete…' }).click();
  };
  const dialog = page.getByRole('alertdialog');
  await open();
  await expect(dialog).toContainText('Revision 1');
  await putJob('kept/first', { description: 'changed' });
  await dialog.getByRole('button', { name: 'Delete the job' }).click();
  await expect(dialog.getByRole('alert')).toContainText('Somebody changed it since you read it');
  await dialog.getByRole('button', { name: 'Keep it' }).click();
  await expect(page.locator('.job-remark')).toHaveText('changed');
  await open();
  await dialog.getByRole('button', { name: 'Delete the job' }).click();
  await expect(dialog.getByRole('alert')).toContainText('kept/second');
  expect(await job('kept/first')).toMatchObject({ revision: 2 });
  await dialog.getByRole('checkbox').check();
  await dialog.getByRole('button', { name: 'Delete the job' }).click();
  await expect(dialog).toContainText('It is deleted.');
});

test('who may only look is told so where the action is', async ({ page }) => {
  await putJob('looked/at', {});
  await page.goto(`${GUARDED()}/login`);
  await page.getByLabel('Token').fill(process.env.FLOW_VIEWER ?? '');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'Now' })).toBeVisible();
  await page.goto(`${GUARDED()}/jobs?prefix=looked/`);
  await page.getByRole('button', { name: 'Actions for looked/at' }).click();
  await page.getByRole('menuitem', { name: /Delete…/ }).click();
  await expect(page.getByRole('alertdialog')).toHaveCount(0);
  await page.getByRole('button', { name: 'Actions for looked/at' }).click();
  await expect(page.getByRole('menuitem', { name: /Delete…/ })).toContainText('viewer');
});

test('keys go through jobs, and to the list', async ({ page }) => {
  await putJob('keys/one', {});
  await page.goto(`${OPEN()}/`);
  await expect(page.getByRole('heading', { level: 1, name: 'Now' })).toBeVisible();
  await page.keyboard.press('g');
  await page.keyboard.press('j');
  await expect(page.getByRole('heading', { level: 1, name: 'Jobs' })).toBeVisible();
  await expect(page.locator('.job-body [role=row]').first()).toBeVisible();
  await page.keyboard.press('j');
  await expect(page.locator('.job-row.chosen')).toHaveCount(1);
});
