import { defineConfig } from '@playwright/test';

// One browser at a time: the machines that run this have two cores, and a tracker and a Redis run beside it.
export default defineConfig({
  testDir: 'flows',
  outputDir: 'flows/out',
  globalSetup: './flows/cluster.ts',
  workers: 1,
  timeout: 30_000,
  expect: { timeout: 8_000 },
  forbidOnly: Boolean(process.env.CI),
  reporter: [['list']],
  use: {
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-dev-shm-usage'],
    },
    viewport: { width: 1280, height: 860 },
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    screenshot: 'only-on-failure',
  },
});
