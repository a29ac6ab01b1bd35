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

test('a ledger says of each due time what became of it, and why', async ({ page }) => {
  await putJob('ledger/often', {
    handler: 'sleep',
    body: { ms: 450 },
    overlap: 'discard',
    trigger: { fixed_rate: '200ms' },
  });
  await page.goto(`${OPEN()}/jobs/ledger:often`);
  const cells = page.getByRole('group', { name: 'Due times' });
  await expect(cells.locator('.fill-skipped').nth(3)).toBeVisible({ timeout: 20_000 });
  // It stands still, so that cells do not move away from the cursor.
  await page.locator('.live').click();
  const said = page.locator('.cell-said').last();
  await cells.locator('button[tabindex="0"]').focus();
  await page.keyboard.press('Home');
  await expect(said).toContainText('fired');
  const first = await said.textContent();
  await page.keyboard.press('ArrowRight');
  await expect(said).toContainText('skipped · overlap_discard');
  await page.keyboard.press('ArrowLeft');
  await expect(said).toHaveText(first ?? '');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\?at=\d+$/);
  const why = page.getByRole('region', { name: 'Why:' });
  await expect(why).toContainText('was skipped');
  await page.reload();
  await expect(why).toContainText('was skipped');
  await cells.locator('button').first().click();
  await expect(why).toContainText('It fired at');
  await page.getByRole('button', { name: 'As a table' }).click();
  await expect(page.locator('.ledger-rows tbody tr').last()).toContainText('fired');
  await expect(page.locator('.ledger-rows tbody')).toContainText('overlap_discard');
  await why.getByRole('link', { name: 'Open its run' }).click();
  await expect(page.locator('.run-title .state')).toBeVisible();
  // And back to the job, by its name.
  await page.getByRole('heading', { level: 1 }).getByRole('link').click();
  await expect(page.getByRole('tab', { name: 'Ledger' })).toBeVisible();
  await page.getByRole('tab', { name: 'Lateness and duration' }).click();
  await expect(page).toHaveURL(/\?tab=numbers$/);
  await expect(page.getByRole('row', { name: /^Decided/ })).toContainText('ms');
  await page.getByRole('tab', { name: 'Recent runs' }).click();
  await expect(page.locator('.recent tbody tr').first()).toBeVisible();
});

test('a span of time is chosen, and its due times alone are shown', async ({ page }) => {
  await putJob('spans/often', { trigger: { fixed_rate: '250ms' } });
  await page.goto(`${OPEN()}/jobs/spans:often`);
  const spans = page.getByRole('group', { name: 'Over time' });
  await expect(async () => {
    await page.reload();
    await expect(spans.locator('button').nth(2)).toBeVisible({ timeout: 2_000 });
  }).toPass({ timeout: 20_000 });
  await page.locator('.live').click();
  await spans.locator('button').nth(1).click();
  await expect(page).toHaveURL(/\?from=\d+&to=\d+$/);
  await expect(page.getByRole('heading', { name: 'Due times of the chosen span' })).toBeVisible();
  await expect(page.getByRole('group', { name: 'Due times' }).locator('button')).toHaveCount(4);
  await page.getByRole('button', { name: 'All due times' }).click();
  await expect(page).toHaveURL(/jobs\/spans:often$/);
});

test('a definition is what it was, to the last digit, and nothing in it does anything', async ({ page }) => {
  const description = '<img src=x onerror="alert(1)"> \u202egnp.exe';
  await putJob('definition/exact', { description, body_text: '{"order": 9007199254740993,  "a": 1, "a": 2}' });
  await page.goto(`${OPEN()}/jobs/definition:exact?tab=definition`);
  const text = page.locator('.definition-text');
  await expect(text).toContainText('{\\"order\\": 9007199254740993,  \\"a\\": 1, \\"a\\": 2}');
  await expect(text).toContainText('⟨U+202E⟩gnp.exe');
  await expect(page.locator('.job-top')).toContainText('<img src=x');
});

test('a job is paused and deleted on its page, and search leads to it', async ({ page }) => {
  await putJob('pages/one', { trigger: { cron: '30 2 * * *', time_zone: 'Europe/Berlin' } });
  await page.goto(`${OPEN()}/`);
  await expect(page.getByRole('heading', { level: 1, name: 'Now' })).toBeVisible();
  await page.keyboard.press('/');
  await page.getByRole('combobox').fill('pages/o');
  await expect(page.getByRole('option')).toContainText('pages/one');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(`${OPEN()}/jobs/pages:one`);
  await expect(page.locator('.next-dues li')).toHaveCount(3);
  await expect(page.locator('.next-dues li').first()).toContainText('02:30:00.000');
  await page.keyboard.press('p');
  const dialog = page.getByRole('alertdialog', { name: 'Pause pages/one?' });
  await dialog.getByLabel('Why').fill('a reason');
  await dialog.getByRole('button', { name: 'Pause the job' }).click();
  await expect(page.locator('.titled .state')).toHaveText('paused');
  await expect(page.locator('.job-note')).toContainText('a reason');
  await page.getByRole('button', { name: 'Delete…' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete the job' }).click();
  await expect(page.getByRole('alertdialog')).toContainText('It is deleted.');
  await page.getByRole('alertdialog').getByRole('button', { name: 'Close' }).last().click();
  await expect(page).toHaveURL(`${OPEN()}/jobs`);
  await page.goto(`${OPEN()}/jobs/pages:one`);
  await expect(page.getByRole('heading', { level: 1 })).toContainText('No job has this name');
});
