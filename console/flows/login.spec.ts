import { expect, GUARDED, OPEN, submit, test } from './fixtures.ts';

test('who has no token logs in with one, and is what it is', async ({ page }) => {
  const id = await submit('sleep', '{"ms": 60000}');
  await page.goto(`${GUARDED()}/runs/${id}?tab=payload`);
  await expect(page.getByRole('heading', { name: 'Log in' })).toBeVisible();

  await page.getByRole('button', { name: 'Log in' }).click();
  await expect(page.getByText('Paste a token first.')).toBeVisible();
  await page.getByLabel('Token').fill('tw_nobody_nothing');
  await page.getByRole('button', { name: 'Log in' }).click();
  await expect(page.getByText('You are not logged in')).toBeVisible();

  await page.getByLabel('Token').fill(process.env.FLOW_VIEWER ?? '');
  await page.getByRole('button', { name: 'Log in' }).click();
  // Where it was asked for, not at the beginning.
  await expect(page).toHaveURL(new RegExp(`/runs/${id}\\?tab=payload$`));
  const stop = page.getByRole('button', { name: 'Stop…' });
  await expect(stop).toHaveAttribute('aria-disabled', 'true');
  await expect(stop).toHaveAttribute('title', 'Your role, viewer, may not do this');
  await stop.click({ force: true });
  await expect(page.getByRole('alertdialog')).toHaveCount(0);
  // It keeps no token, and no script can read the cookie.
  expect(await page.evaluate(() => JSON.stringify(localStorage) + document.cookie)).not.toContain('tw_');

  await page.reload();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('sleep');
  await page.getByRole('button', { name: 'Who you are' }).click();
  await page.getByRole('menuitem', { name: 'Log out' }).click();
  await expect(page.getByRole('heading', { name: 'Log in' })).toBeVisible();
  await page.goto(`${GUARDED()}/`);
  await expect(page.getByRole('heading', { name: 'Log in' })).toBeVisible();
});

test('an admin may stop what a viewer may not', async ({ page }) => {
  const id = await submit('sleep', '{"ms": 60000}');
  await page.goto(`${GUARDED()}/login?next=/runs/${id}`);
  await page.getByLabel('Token').fill(process.env.FLOW_ADMIN ?? '');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('button', { name: 'Stop…' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Stop the run' }).click();
  await expect(page.locator('.run-title .state')).toHaveText('cancelled');
});

test('the code of a link is shown once, and taken out of the address', async ({ page }) => {
  const shown: string[] = [];
  await page.route('**/api/v1/session', async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    shown.push(route.request().postData() ?? '');
    return route.fulfill({
      status: 401,
      contentType: 'application/problem+json',
      body: '{"code":"UNAUTHENTICATED","detail":"over","status":401,"title":"","type":"","request_id":"1"}',
    });
  });
  await page.goto(`${GUARDED()}/login#abc-DEF_9`);
  await expect(page.getByText('The link did not log you in.')).toBeVisible();
  expect(shown).toEqual(['{"code":"abc-DEF_9"}']);
  expect(page.url()).toBe(`${GUARDED()}/login`);
});

test('a tracker that asks nobody is open at once', async ({ page }) => {
  await page.goto(`${OPEN()}/login`);
  await expect(page.getByRole('heading', { name: 'Now' })).toBeVisible();
  await page.goto(`${OPEN()}/login?next=//evil.example/`);
  await expect(page).toHaveURL(`${OPEN()}/`);
});
