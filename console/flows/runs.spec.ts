import { expect, OPEN, submit, test } from './fixtures.ts';

const names = (page: import('@playwright/test').Page) =>
  page.locator('.run-body [role=row] a').evaluateAll((links) => links.map((link) => link.getAttribute('href')));

test('a filtered list is its address: after a reload, back, and elsewhere it is the same', async ({
  page,
  browser,
}) => {
  const failed = await submit('fail_sometimes', '{"times": 9}', '--retries', '0', '--wait');
  await submit('echo', '{}', '--wait');
  await page.goto(`${OPEN()}/runs`);
  await page.getByRole('button', { name: 'failed', exact: true }).click();
  await expect(page).toHaveURL(/\/runs\?state=failed$/);
  await page.getByRole('button', { name: 'Filters', exact: true }).click();
  await page.getByLabel('Handler').fill('fail sometimes');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByRole('alert')).toContainText('A name has letters');
  await page.getByLabel('Handler').fill('fail_sometimes');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page).toHaveURL(/state=failed&handler=fail_sometimes$/);
  await expect(page.locator(`.run-body a[href="/runs/${failed}"]`)).toBeVisible();
  const before = await names(page);

  await page.reload();
  await expect.poll(() => names(page)).toEqual(before);
  await page.locator(`.run-body a[href="/runs/${failed}"]`).click();
  await expect(page.locator('.run-title .state')).toHaveText('failed');
  await page.goBack();
  await expect.poll(() => names(page)).toEqual(before);
  const context = await browser.newContext();
  const other = await context.newPage();
  await other.goto(page.url());
  await expect.poll(() => names(other)).toEqual(before);
  await context.close();

  await page.getByRole('button', { name: 'Remove the filter Handler' }).click();
  await expect(page).toHaveURL(/\/runs\?state=failed$/);
  await page.goBack();
  await expect(page).toHaveURL(/handler=fail_sometimes$/);
});

test('a filter that fits nothing says so, and how much was looked at', async ({ page }) => {
  await page.goto(`${OPEN()}/runs?handler=nothing-has-this`);
  await expect(page.getByText('No run fits these filters')).toBeVisible();
  await expect(page.locator('.foot')).toContainText('looked at');
});

test('keys go through rows and open one', async ({ page }) => {
  const id = await submit('echo', '{}', '--wait');
  await page.goto(`${OPEN()}/runs?order=ended&handler=echo`);
  await expect(page.locator(`.run-body a[href="/runs/${id}"]`)).toBeVisible();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await expect(page.locator('.run-title .state')).toBeVisible();
  await page.keyboard.press('g');
  await page.keyboard.press('n');
  await expect(page.getByRole('heading', { level: 1, name: 'Now' })).toBeVisible();
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keyboard help' })).toBeVisible();
  await page.keyboard.press('Escape');
  await page.keyboard.press('/');
  await page.getByRole('combobox').fill(id);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(`${OPEN()}/runs/${id}`);
});
