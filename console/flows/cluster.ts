// A cluster for the flows: what `tickwheel dev` starts, which asks nobody for a token, and a second tracker at the same Redis that does.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
export const PROGRAM = process.env.TICKWHEEL ?? new URL('../../target/debug/tickwheel', import.meta.url).pathname;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('a listening socket has a port');
  return address.port;
}

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + 30_000;
  for (;;) {
    const found = await look().catch(() => undefined);
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`waited for ${what} for 30 s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const over = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await over;
}

export default async function start(): Promise<() => Promise<void>> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const one of stops.reverse()) await one();
  };
  try {
    await startAll(stops);
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}

/** Starts everything; what ends it is among `stops` as soon as it is there. */
async function startAll(stops: (() => Promise<void>)[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tickwheel-console-'));
  stops.push(() => rm(folder, { recursive: true, force: true }));
  const [grpc, http, guardedGrpc, guardedHttp] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const at = (port: number) => `127.0.0.1:${port}`;
  let said = '';
  const dev = spawn(PROGRAM, [
    'dev',
    '--data-dir',
    join(folder, 'data'),
    '--grpc-listen',
    at(grpc),
    '--http-listen',
    at(http),
  ]);
  stops.push(() => ended(dev));
  dev.stdout.on('data', (text) => {
    said += text;
  });
  dev.stderr.on('data', (text) => {
    said += text;
  });
  const redis = await until('tickwheel dev', async () => /redis-cli -p (\d+)/.exec(said)?.[1]);
  const adminFile = join(folder, 'admin.token');
  const guarded = spawn(PROGRAM, [
    'tracker',
    '--redis',
    `redis://${at(Number(redis))}`,
    '--grpc-listen',
    at(guardedGrpc),
    '--http-listen',
    at(guardedHttp),
    '--set',
    `access.bootstrap_token_file=${adminFile}`,
  ]);
  stops.push(() => ended(guarded));
  guarded.stdout.resume();
  guarded.stderr.resume();
  const admin = await until('the first token', async () => (await readFile(adminFile, 'utf8')).trim() || undefined);
  const ready = (port: number) => async () => ((await fetch(`http://${at(port)}/readyz`)).ok ? true : undefined);
  await until('both trackers', ready(http));
  await until('both trackers', ready(guardedHttp));
  const { stdout } = await run(PROGRAM, [
    'token',
    'make',
    'the eyes',
    '--role',
    'viewer',
    '--namespace',
    '*',
    '--group',
    '*',
    '--handler',
    '*',
    '--read-payload',
    '--server',
    `http://${at(guardedGrpc)}`,
    '--token-file',
    adminFile,
  ]);
  const viewer = /tw_[A-Za-z0-9]+_[A-Za-z0-9_-]+/.exec(stdout)?.[0];
  if (viewer === undefined) throw new Error(`no token in what was made: ${stdout}`);
  process.env.FLOW_OPEN = process.env.CONSOLE_URL ?? `http://${at(http)}`;
  process.env.FLOW_SERVER = `http://${at(grpc)}`;
  process.env.FLOW_GUARDED = `http://${at(guardedHttp)}`;
  process.env.FLOW_ADMIN = admin;
  process.env.FLOW_VIEWER = viewer;
}
