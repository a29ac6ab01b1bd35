// Drives BullMQ for `tickwheel-bench compare`. The bench writes this file beside the node_modules it installs.
//
//   bullmq.mjs worker HOST PORT CONCURRENCY RECORDS
//     prints `1 <started> <completed>` while that changes; SIGTERM: writes its records (four 64-bit numbers, little end first: number of
//     the job, start in microseconds, due in milliseconds, 0) and ends
//   bullmq.mjs submit HOST PORT FROM TO BATCH BODY WHEN
//     prints `ready`, waits for a line, adds jobs FROM..TO, prints `done`; WHEN: now | in:MS | at:MS | spread:FIRST:SPAN
//   bullmq.mjs recur HOST PORT FROM TO BATCH BODY WHEN
//     the same, but each job is a scheduler that fires every second
//
// Settings: jobs are removed when they are complete (nothing else keeps Redis small), bulk adds, ioredis with its automatic pipelines
// where jobs are added; in the worker they make each job wait for others, so it goes without.

import { createInterface } from 'node:readline';
import { writeFileSync } from 'node:fs';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';

const [role, host, port, ...rest] = process.argv.slice(2);
const QUEUE = 'bench';
const IN_FLIGHT = 4;

function connect() {
  return new Redis(Number(port), host, {
    maxRetriesPerRequest: null,
    enableAutoPipelining: role !== 'worker',
  });
}

const say = (text) => process.stdout.write(`${text}\n`);
const nowMicros = () => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000));

// One round of splitmix64, as in the bench: due times that look random and are the same for everybody.
function scattered(number) {
  const mask = (1n << 64n) - 1n;
  let mixed = (BigInt(number) * 0x9e3779b97f4a7c15n) & mask;
  mixed = ((mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
  return mixed ^ (mixed >> 31n);
}

function dueOf(when, number) {
  const [kind, first, span] = when.split(':');
  if (kind === 'now') return 0;
  if (kind === 'in') return Date.now() + Number(first);
  if (kind === 'at') return Number(first);
  return Number(first) + Number(scattered(number) % BigInt(span));
}

function bodyOf(number, due, bytes) {
  const body = { n: number, due, x: '' };
  body.x = 'x'.repeat(Math.max(0, bytes - JSON.stringify(body).length));
  return body;
}

async function work(concurrency, path) {
  const numbers = [];
  let completed = 0;
  let said = -1;
  const worker = new Worker(
    QUEUE,
    async (job) => {
      const at = nowMicros();
      let { n, due } = job.data;
      let key = BigInt(n);
      if (job.repeatJobKey) {
        due = Number(job.id.slice(job.id.lastIndexOf(':') + 1));
        key = (key << 42n) + BigInt(due);
      }
      numbers.push(BigInt.asUintN(64, key), at, BigInt(due), 0n);
    },
    { connection: connect(), concurrency, removeOnComplete: { count: 0 }, removeOnFail: { count: 0 } },
  );
  worker.on('completed', () => { completed += 1; });
  worker.on('error', (error) => process.stderr.write(`${error}\n`));
  await worker.waitUntilReady();
  setInterval(() => {
    if (completed !== said) {
      said = completed;
      say(`1 ${numbers.length / 4} ${completed}`);
    }
  }, 10);
  process.on('SIGTERM', async () => {
    const limit = new Promise((resolve) => setTimeout(resolve, 3000));
    await Promise.race([worker.close(), limit]);
    writeFileSync(path, new BigUint64Array(numbers));
    process.exit(0);
  });
}

async function submit(from, to, batch, bytes, when) {
  const queue = new Queue(QUEUE, { connection: connect() });
  await queue.waitUntilReady();
  say('ready');
  const input = createInterface({ input: process.stdin });
  await new Promise((resolve) => input.once('line', resolve));
  input.close();
  let next = from;
  const send = async () => {
    while (next < to) {
      const first = next;
      next = Math.min(to, first + batch);
      const jobs = [];
      for (let number = first; number < next; number += 1) {
        const due = dueOf(when, number);
        if (role === 'recur') {
          jobs.push(queue.upsertJobScheduler(`every-${number}`, { every: 1000 }, { name: 'noop', data: bodyOf(number, 0, bytes) }));
        } else {
          const opts = due ? { delay: Math.max(0, due - Date.now()) } : {};
          jobs.push({ name: 'noop', data: bodyOf(number, due, bytes), opts });
        }
      }
      await (role === 'recur' ? Promise.all(jobs) : queue.addBulk(jobs));
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, send));
  say('done');
  process.exit(0);
}

if (role === 'worker') {
  await work(Number(rest[0]), rest[1]);
} else {
  const [from, to, batch, bytes, when] = rest;
  await submit(Number(from), Number(to), Number(batch), Number(bytes), when);
}
