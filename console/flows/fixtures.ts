// What the flows share: pages that tell of everything that a browser complains about, and calls of the command line.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { test as base, type ConsoleMessage, expect, type Page } from '@playwright/test';
import { PROGRAM } from './cluster.ts';

const run = promisify(execFile);
const axeText = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export const OPEN = () => process.env.FLOW_OPEN ?? '';
export const GUARDED = () => process.env.FLOW_GUARDED ?? '';

/** The id of a new run. */
export async function submit(handler: string, body: string, ...more: string[]): Promise<string> {
  const words = ['submit', handler, '--body', body, '-o', 'json', '--server', process.env.FLOW_SERVER ?? '', ...more];
  const { stdout } = await run(PROGRAM, words).catch((error) => error as { stdout: string });
  const id = /"id":\s*"([^"]+)"/.exec(stdout)?.[1];
  if (id === undefined) throw new Error(`no id in ${stdout}`);
  return id;
}

/** Registers a job; what is given is laid over a document of one that runs when it is asked for. */
export async function putJob(name: string, document: object): Promise<void> {
  const answer = await fetch(`${OPEN()}/api/v1/jobs/${name.replaceAll('/', ':')}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', 'Tickwheel-Csrf': '1' },
    body: JSON.stringify({ handler: 'noop', trigger: 'manual', ...document }),
  });
  if (!answer.ok) throw new Error(`${name} was not registered: ${await answer.text()}`);
}

export interface Prefs {
  theme?: 'light' | 'dark';
  locale?: 'en' | 'zh-CN';
}

/** Chooses before the first page is there. */
export async function prefer(page: Page, prefs: Prefs): Promise<void> {
  await page.addInitScript((kept) => {
    if (localStorage.getItem('tickwheel.prefs') === null) localStorage.setItem('tickwheel.prefs', kept);
  }, JSON.stringify(prefs));
}

/** What axe finds. It is run by the debugger, past the policy of the page, which allows no script but its own. */
export async function violations(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const expression = `${axeText}; axe.run(document, { resultTypes: ['violations'] }).then((found) =>
    found.violations.flatMap((one) => one.nodes.map((node) => one.id + ': ' + node.target.join(' ') + ': ' + node.failureSummary)))`;
  const { result } = await session.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
  await session.detach();
  return result.value as string[];
}

/** What a browser may say: a request that was meant to be refused. */
const isMeant = (message: ConsoleMessage) => /status of (4\d\d|503)|ERR_CONNECTION|ERR_FAILED/.test(message.text());

export const test = base.extend<{ complaints: string[] }>({
  complaints: [
    async ({ page }, use) => {
      const complaints: string[] = [];
      page.on('console', (message) => {
        if ((message.type() === 'error' || message.type() === 'warning') && !isMeant(message))
          complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('dialog', (dialog) => {
        complaints.push(`dialog: ${dialog.message()}`);
        void dialog.dismiss();
      });
      await page.addInitScript(() => {
        document.addEventListener('securitypolicyviolation', (event) =>
          console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`),
        );
      });
      await use(complaints);
      expect(complaints).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };
