import { describe, expect, it } from 'vitest';
import { isRunId, nameOfPath, pathName, shortened } from './api/names.ts';
import { asProblem, ProblemError, problemOf } from './api/problem.ts';
import { localeOf, readPrefs } from './prefs.ts';
import { isRight } from './screens/runs/Filters.tsx';
import { filters, runsSearch } from './screens/runs/search.ts';
import { parseSearch, stringifySearch } from './search.ts';
import { quoted } from './ui/command.ts';
import { visible } from './ui/text.ts';

describe('an address', () => {
  it('comes back as it went', () => {
    const search = { state: ['failed', 'timed_out'], job: 'billing/nightly', error: 'a & b=c "ü"', order: 'ended' };
    expect(parseSearch(stringifySearch(search))).toEqual(search);
    expect(runsSearch(parseSearch(stringifySearch(search)))).toEqual(search);
    expect(stringifySearch({ job: 'a/b', nothing: undefined, empty: '' })).toBe('?job=a/b');
  });

  it('has only what is known in it', () => {
    const found = runsSearch({ state: ['failed', 'nonsense', 'failed', 'lost'], order: 'up', x: '1', job: ['a', 'b'] });
    expect(found).toEqual({ state: ['failed'], job: 'b' });
    expect(filters(found)).toBe(2);
    expect(Object.getPrototypeOf(parseSearch('?__proto__=1&a=1'))).toBe(Object.prototype);
  });

  it('has names with colons', () => {
    expect(pathName('6.1.f@billing/nightly')).toBe('6.1.f@billing:nightly');
    expect(pathName('a b?#%')).toBe('a%20b%3F%23%25');
    expect(nameOfPath('6.1.f@billing:nightly')).toBe('6.1.f@billing/nightly');
    expect(isRunId('6.1767225600000.f@billing/nightly')).toBe(true);
    expect(isRunId('billing/nightly')).toBe(false);
    expect(shortened('abcdefghij', 5)).toBe('ab…ij');
  });
});

it('a field is right or it is not sent', () => {
  for (const name of ['a', 'billing/nightly', 'a_b.c-d']) expect(isRight('job', name), name).toBe(true);
  for (const name of ['a b', '/a', 'a/', '-a']) expect(isRight('job', name), name).toBe(false);
  for (const time of ['2026-03-29T02:30:00Z', '2026-03-29T02:30+01:00', '1767225600000'])
    expect(isRight('due_from', time)).toBe(true);
  for (const time of ['yesterday', '2026-03-29', '2026-03-29T02:30']) expect(isRight('due_from', time)).toBe(false);
});

it('what was kept in a browser is read as far as it has a meaning', () => {
  const fallback = readPrefs(null, {
    theme: 'auto',
    locale: 'en',
    density: 'compact',
    zone: 'utc',
    keys: true,
    live: true,
  });
  const kept = '{"theme":"dark","locale":"xx","zone":"Mars/Base","keys":"no","live":false}';
  expect(readPrefs(kept, fallback)).toEqual({ ...fallback, theme: 'dark', live: false });
  expect(readPrefs('{', fallback)).toEqual(fallback);
  expect(localeOf(['fr', 'zh-Hans-CN', 'en'])).toBe('zh-CN');
});

it('a text from outside is seen as it is', () => {
  expect(visible('a\u202eb\u0000c\td\n')).toBe('a⟨U+202E⟩b␀c\td\n');
  expect(visible('\u001b[1;31mred\u001b[0m \u001b]8;;http://x\u0007link')).toBe('red link');
});

it('a command is one that a shell takes', () => {
  expect(quoted("it's")).toBe(`'it'\\''s'`);
  expect(quoted('6.1.f@a/b')).toBe('6.1.f@a/b');
  expect(quoted('$(rm -rf)')).toBe("'$(rm -rf)'");
});

it('every failure is a problem', () => {
  const told = problemOf(409, { code: 'CONFLICT', detail: 'no', status: 409 }, 'Conflict');
  expect(new ProblemError(told).mayPass).toBe(false);
  expect(problemOf(502, '<html>', 'Bad Gateway')).toMatchObject({ code: '502', detail: '<html>' });
  expect(asProblem(new TypeError('x')).code).toBe('UNREACHABLE');
});
