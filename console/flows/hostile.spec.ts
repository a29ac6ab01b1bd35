import { expect, OPEN, submit, test } from './fixtures.ts';

const HOSTILE = [
  '<img src=x onerror="window.__xss=1">',
  '<svg onload="window.__xss=1"></svg>',
  '<script>window.__xss=1</script>',
  'javascript:window.__xss=1',
  '{{constructor.constructor("window.__xss=1")()}}',
  '\u202Egnp.exe\u202C',
  '\u001b[31mred\u001b[0m\u0000\u200b',
  '__proto__',
];

test('what somebody submitted is text in payload, result and error', async ({ page }) => {
  const body = JSON.stringify(Object.fromEntries(HOSTILE.map((text, at) => [`${text}${at}`, text])));
  const echoed = await submit('echo', body, '--wait');
  const waits = await submit('nobody-has-this', body);
  const failed = await submit('sleep', body, '--retries', '0', '--wait');
  await page.goto(`${OPEN()}/runs/${waits}?tab=payload`);
  expect(await page.locator('.exact-text').textContent()).toBe(body);
  await page.goto(`${OPEN()}/runs/${echoed}?tab=result`);
  expect(await page.locator('.exact-text').textContent()).toBe(body);
  await page.goto(`${OPEN()}/runs/${failed}`);
  await expect(page.locator('.run-error')).toContainText('<img src=x onerror=');
  await page.goto(`${OPEN()}/runs?state=failed`);
  await expect(page.locator('.run-body .cell-Remark').first()).toContainText('<img src=x onerror=');
  await page.goto(`${OPEN()}/`);
  await expect(page.locator('.short-row').first()).toContainText('<img src=x');
  expect(await page.evaluate(() => '__xss' in window)).toBe(false);
});

test('what a run says is text, whatever it is', async ({ page }) => {
  const id = await submit('echo', '{}', '--wait');
  await page.route('**/api/v1/runs/*/log*', (route) =>
    route.fulfill({
      json: {
        items: [...HOSTILE, 'x'.repeat(1_000_000)].map((line) => ({ time_ms: 1, attempt: 1, level: 'info', line })),
        next_cursor: '',
        lost: 0,
      },
    }),
  );
  await page.goto(`${OPEN()}/runs/${id}`);
  const lines = page.locator('.log-text');
  await expect(lines).toHaveCount(HOSTILE.length + 1);
  await expect(lines.nth(0)).toHaveText('<img src=x onerror="window.__xss=1">');
  await expect(lines.nth(5)).toHaveText('⟨U+202E⟩gnp.exe⟨U+202C⟩');
  await expect(lines.nth(6)).toHaveText('red␀⟨U+200B⟩');
  await expect(lines.nth(8).getByRole('button')).toHaveText('… show the whole line');
  expect(await page.evaluate(() => '__xss' in window)).toBe(false);
});

test('an address does nothing but name a place', async ({ page }) => {
  await page.goto(`${OPEN()}/runs?error=${encodeURIComponent(HOSTILE[0] ?? '')}&state=nonsense&__proto__=1`);
  await expect(page.locator('.set-word')).toContainText('<img src=x');
  await page.goto(`${OPEN()}/${encodeURIComponent(HOSTILE[0] ?? '')}`);
  await expect(page.getByRole('heading', { name: 'There is no such page' })).toBeVisible();
  expect(await page.evaluate(() => '__xss' in window)).toBe(false);
});
