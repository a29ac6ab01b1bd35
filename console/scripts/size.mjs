// Fails when the console became larger than it may be: what the first screen loads, each part that is loaded later, and all of it.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const KIB = 1024;
const FIRST_MAX = 200 * KIB;
const LATER_MAX = 60 * KIB;
const ALL_MAX = 1536 * KIB;

const root = new URL('../dist/app', import.meta.url).pathname;
const assets = join(root, 'assets');
const packed = (name) => {
  try {
    return statSync(join(assets, `${name}.gz`)).size;
  } catch {
    return statSync(join(assets, name)).size;
  }
};
const page = readFileSync(join(root, 'index.html'), 'utf8');
const names = readdirSync(assets).filter((name) => /\.(js|css)$/.test(name));
// The screen `Now` is the one that is opened.
const isFirst = (name) => page.includes(name) || name.startsWith('Now-');
const first = names.filter(isFirst);
const later = names.filter((name) => !isFirst(name));
const sum = (list) => list.reduce((total, name) => total + packed(name), 0);
const all = readdirSync(root, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .reduce((total, entry) => total + statSync(join(entry.parentPath, entry.name)).size, 0);

const kib = (bytes) => `${(bytes / KIB).toFixed(1)} KiB`;
console.log(`first screen ${kib(sum(first))} of ${kib(FIRST_MAX)}: ${first.join(', ')}`);
for (const name of later) console.log(`later ${kib(packed(name))} of ${kib(LATER_MAX)}: ${name}`);
console.log(`all that is embedded, in three forms ${kib(all)} of ${kib(ALL_MAX)}`);
const wrong = sum(first) > FIRST_MAX || later.some((name) => packed(name) > LATER_MAX) || all > ALL_MAX;
if (wrong) {
  console.error(
    'the console became larger than it may be: load what is rarely needed later, or say in docs/console.md why not',
  );
  process.exit(1);
}
