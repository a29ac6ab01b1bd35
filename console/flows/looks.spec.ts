import { expect, GUARDED, OPEN, prefer, putJob, submit, test, violations } from './fixtures.ts';

let running = '';
let failed = '';

test.beforeAll(async () => {
  running = await submit('log_progress', '{"steps": 1000, "ms": 200}');
  await putJob('looks/nightly', {
    trigger: { cron: '30 2 * * *', time_zone: 'Europe/Berlin' },
    labels: { team: 'blue' },
  });
  await putJob('looks/often', {
    handler: 'sleep',
    body: { ms: 450 },
    overlap: 'discard',
    trigger: { fixed_rate: '200ms' },
  });
  failed = await submit('fail_sometimes', '{"times": 9}', '--retries', '1', '--wait');
});

const SCREENS: [name: string, address: () => string, here: string][] = [
  ['now', () => `${OPEN()}/`, '.short-row'],
  ['jobs', () => `${OPEN()}/jobs`, '.job-body [role=row]'],
  ['a ledger', () => `${OPEN()}/jobs/looks:often`, '.cells'],
  ['a ledger as a table', () => `${OPEN()}/jobs/looks:often?view=table`, '.ledger-rows td'],
  ['numbers of a job', () => `${OPEN()}/jobs/looks:often?tab=numbers`, '.spreads td'],
  ['runs of a job', () => `${OPEN()}/jobs/looks:often?tab=runs`, '.recent td'],
  ['a definition', () => `${OPEN()}/jobs/looks:nightly?tab=definition`, '.definition-text'],
  ['no job', () => `${OPEN()}/jobs/looks:gone`, 'h1'],
  ['runs', () => `${OPEN()}/runs?order=ended&state=failed`, '.run-body [role=row]'],
  ['a running run', () => `${OPEN()}/runs/${running}`, '.log-row'],
  ['a failed run', () => `${OPEN()}/runs/${failed}?tab=attempts`, '.attempts td'],
  ['a lost run', () => `${OPEN()}/runs/1.1.nothing`, 'h1'],
  ['login', () => `${GUARDED()}/login`, 'h1'],
  ['nothing', () => `${OPEN()}/no/such/place`, 'h1'],
];

for (const theme of ['light', 'dark'] as const) {
  for (const locale of ['en', 'zh-CN'] as const) {
    test(`everybody can use every screen, ${theme}, ${locale}`, async ({ page }) => {
      test.setTimeout(90_000);
      await prefer(page, { theme, locale });
      for (const [name, address, here] of SCREENS) {
        await page.goto(address());
        await expect(page.locator(here).first(), name).toBeVisible();
        await expect(page.locator('html')).toHaveAttribute('lang', locale);
        // Nothing that is loaded is still faded in.
        await page.evaluate(() => Promise.allSettled(document.getAnimations().map((one) => one.finished)));
        expect(await violations(page), name).toEqual([]);
      }
    });
  }
}

test('on a phone nothing is wider than the phone, and what is pressed is large enough', async ({ page }) => {
  test.setTimeout(90_000);
  await page.setViewportSize({ width: 360, height: 740 });
  await prefer(page, { theme: 'dark', locale: 'zh-CN' });
  for (const [name, address, here] of SCREENS) {
    await page.goto(address());
    await expect(page.locator(here).first(), name).toBeVisible();
    const wide = await page.evaluate(() => {
      const content = document.getElementById('content') ?? document.documentElement;
      return Math.max(content.scrollWidth - content.clientWidth, document.documentElement.scrollWidth - innerWidth);
    });
    expect(wide, name).toBe(0);
    expect(await violations(page), name).toEqual([]);
  }
});

test('a zone is chosen once for all times', async ({ page }) => {
  await page.goto(`${OPEN()}/runs/${failed}`);
  await expect(page.locator('.facts time').first()).toContainText(/\d\d:\d\d:\d\d\.\d{3}/);
  const text = () => page.locator('.facts dd').first().textContent();
  expect(await text()).toMatch(/\+0[12]:00$/);
  await page.keyboard.press('z');
  await page.keyboard.press('z');
  await expect.poll(text).toMatch(/UTC$/);
  await page.getByRole('button', { name: /^Time zone/ }).click();
  await page.getByRole('menuitemradio', { name: 'Another zone…' }).click();
  await page.getByLabel('Name of a zone').fill('Nowhere/Land');
  await page.getByRole('button', { name: 'Use this zone' }).click();
  await expect(page.getByRole('alert')).toContainText('Nowhere/Land');
  await page.getByLabel('Name of a zone').fill('Asia/Shanghai');
  await page.getByRole('button', { name: 'Use this zone' }).click();
  await expect.poll(text).toMatch(/\+08:00$/);
});

test('two tabs have one stream, and the badge says when there is none', async ({ context, page }) => {
  const streams: string[] = [];
  context.on('request', (request) => {
    if (request.url().includes('/stream?')) streams.push(request.url());
  });
  await page.goto(`${OPEN()}/`);
  await expect(page.getByRole('button', { pressed: true })).toContainText('live');
  const second = await context.newPage();
  await second.goto(`${OPEN()}/`);
  await expect(second.locator('.live-live')).toBeVisible();
  await expect(second.locator('.live .num')).toBeVisible();
  expect(streams.length).toBe(1);
  await page.close();
  // The other tab takes over.
  await expect.poll(() => streams.length).toBe(2);
  await expect(second.locator('.live-live')).toBeVisible();
  await second.locator('.live').click();
  await expect(second.locator('.live')).toHaveText(/paused/);
});

test('while the tracker is away what was there stays, and says how old it is', async ({ page }) => {
  await page.goto(`${OPEN()}/runs?order=ended`);
  await expect(page.locator('.run-body [role=row]').first()).toBeVisible();
  await page.route('**/api/v1/**', (route) => route.abort());
  await expect(page.locator('.stale')).toContainText('asking again failed', { timeout: 20_000 });
  await expect(page.locator('.run-body [role=row]').first()).toBeVisible();
  await page.unroute('**/api/v1/**');
  await page.locator('.stale').getByRole('button').click();
  await expect(page.locator('.stale')).toHaveCount(0);
});
