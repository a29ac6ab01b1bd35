import { expect, OPEN, submit, test } from './fixtures.ts';

test('a log is read while it is said, from its first line, and stops to follow when somebody scrolls', async ({
  page,
}) => {
  const id = await submit('log_progress', '{"steps": 200, "ms": 50}');
  await page.goto(`${OPEN()}/runs/${id}`);
  const log = page.getByRole('log');
  await expect(log).toContainText('step 1 of 200 is done');
  await expect(log).toContainText('step 60 of 200 is done', { timeout: 15_000 });
  await expect(page.getByRole('button', { name: 'Follow', exact: true })).toHaveAttribute('aria-pressed', 'true');
  await log.evaluate((element) => element.scrollTo(0, 0));
  await expect(page.getByRole('button', { name: 'Follow', exact: true })).toHaveAttribute('aria-pressed', 'false');
  await expect(page.getByRole('button', { name: /new lines?/ })).toBeVisible();
  expect(await log.evaluate((element) => element.scrollTop)).toBe(0);
  await page.getByRole('searchbox', { name: 'Search the log' }).fill('step 7 of');
  await expect(page.getByText('1 of 1')).toBeVisible();
  await expect(page.locator('.run-title .state')).toHaveText('succeeded', { timeout: 20_000 });
  await expect(log).toContainText('End of the log');
  // Each line once, whether it came by the stream or by pages.
  const lines = await page.locator('.log-text').allTextContents();
  expect(lines).toEqual(Array.from({ length: 200 }, (_, at) => `step ${at + 1} of 200 is done`));
});

test('a run is stopped after it was said what that does', async ({ page }) => {
  const id = await submit('sleep', '{"ms": 60000}');
  await page.goto(`${OPEN()}/runs/${id}`);
  await expect(page.locator('.run-title .state')).toHaveText('running');
  await page.keyboard.press('c');
  const dialog = page.getByRole('alertdialog', { name: 'Stop this run?' });
  await expect(dialog).toContainText('has its grace to clean up');
  await dialog.getByRole('button', { name: 'Let it run' }).click();
  await expect(dialog).toHaveCount(0);
  await expect(page.locator('.run-title .state')).toHaveText('running');
  await page.getByRole('button', { name: 'Stop…' }).click();
  await dialog.getByRole('button', { name: 'Stop the run' }).click();
  await expect(page.locator('.run-title .state')).toHaveText('cancelled');
  // A person said that it shall not run.
  await expect(page.getByRole('button', { name: 'Retry…' })).toHaveAttribute('aria-disabled', 'true');
});

test('what failed is run again', async ({ page }) => {
  const id = await submit('fail_sometimes', '{"times": 1}', '--retries', '0', '--wait');
  await page.goto(`${OPEN()}/runs/${id}`);
  await expect(page.locator('.run-title .state')).toHaveText('failed');
  await page.getByRole('button', { name: 'Retry…' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Run it again' }).click();
  await expect(page.locator('.run-title .state')).not.toHaveText('cancelled');
  await expect(page.getByRole('alertdialog')).toHaveCount(0);
});

test('a payload is what it was, to the last digit and space', async ({ page }) => {
  const body = '{"order": 9007199254740993,  "sum": 1.10, "a": 1, "a": 2}';
  const waits = await submit('nobody-has-this', body);
  await page.goto(`${OPEN()}/runs/${waits}`);
  await page.getByRole('tab', { name: 'Payload' }).click();
  await expect(page).toHaveURL(/tab=payload$/);
  expect(await page.locator('.exact-text').textContent()).toBe(body);
  const echoed = await submit('echo', body, '--wait');
  await page.goto(`${OPEN()}/runs/${echoed}?tab=result`);
  expect(await page.locator('.exact-text').textContent()).toBe(body);
});

test('a run that nobody has any more says what may be the reason', async ({ page }) => {
  await page.goto(`${OPEN()}/runs/1.1.nothing`);
  await expect(page.getByRole('heading', { name: /No run has this id/ })).toBeVisible();
});
