import { describe, expect, it } from 'vitest';
import { along, type JobStats, type LedgerRecord, lateness, lookOf, lookOfSpan, moved, spansOf } from './cells.ts';
import { memberOf, setOut } from './exact.ts';
import { jobSearch } from './search.ts';

const record = (some: object) =>
  ({
    due_ms: 100,
    last_due_ms: 100,
    count: 1,
    verdict: 'fired',
    reason: '',
    run_id: 'r',
    decided_ms: 103,
    ...some,
  }) as LedgerRecord;
const NONE = { fired: 0, skipped: 0, missed: 0, cancelled: 0, succeeded: 0, failed: 0 };

describe('a cell', () => {
  it('of a due time is filled by its verdict and marked by its run', () => {
    const states = new Map([['r', 'failed']]);
    expect(lookOf(record({}), states)).toEqual({ fill: 'fired', mark: 'failed', isLate: false });
    expect(lookOf(record({ run_id: 'x' }), states)).toEqual({ fill: 'fired', mark: '', isLate: false });
    expect(lookOf(record({ verdict: 'skipped' }), states)).toEqual({ fill: 'skipped', mark: '', isLate: false });
  });

  it('says when it was late, and only where that is known', () => {
    expect(lookOf(record({ decided_ms: 1_100 }), new Map()).isLate).toBe(true);
    expect(lookOf(record({ decided_ms: 1_099 }), new Map()).isLate).toBe(false);
    expect(lateness(record({}))).toBe(3);
    expect(lateness(record({ decided_ms: 0 }))).toBeUndefined();
    expect(lateness(record({ verdict: 'missed' }))).toBeUndefined();
  });

  it('of a span shows what is worst in it', () => {
    const span = (some: object) => {
      const { fill, mark } = lookOfSpan({ from_ms: 0, ...NONE, ...some });
      return [fill, mark];
    };
    expect(span({ fired: 9, succeeded: 8, failed: 1, missed: 1 })).toEqual(['fired', 'failed']);
    expect(span({ fired: 9, succeeded: 9, missed: 1 })).toEqual(['missed', '']);
    expect(span({ fired: 1, skipped: 9 })).toEqual(['fired', '']);
    expect(span({ skipped: 1 })).toEqual(['skipped', '']);
    expect(span({})).toEqual(['none', '']);
  });
});

it('spans have none left out, and are not too many', () => {
  const stats = (width: number, ...from: number[]) =>
    ({ cell_ms: width, cells: from.map((from_ms) => ({ ...NONE, from_ms, fired: 1 })) }) as unknown as JobStats;
  expect(spansOf(stats(10, 0, 30)).map(({ from_ms, fired }) => [from_ms, fired])).toEqual([
    [0, 1],
    [10, 0],
    [20, 0],
    [30, 1],
  ]);
  expect(spansOf(stats(10))).toEqual([]);
  expect(spansOf(stats(1, 0, 1_000_000))).toHaveLength(130);
  expect(spansOf(stats(1, 0, 1_000_000)).at(-1)?.fired).toBe(1);
});

it('keys move the cursor within the cells', () => {
  expect(moved('ArrowRight', 0, 5, 3)).toBe(1);
  expect(moved('ArrowLeft', 0, 5, 3)).toBe(0);
  expect(moved('ArrowDown', 1, 5, 3)).toBe(4);
  expect(moved('ArrowUp', 4, 5, 3)).toBe(1);
  expect(moved('Home', 4, 5, 3)).toBe(0);
  expect(moved('End', 1, 5, 3)).toBe(4);
  expect(moved('x', 1, 5, 3)).toBeUndefined();
});

it('a scale begins at nothing and ends at the most', () => {
  expect([along(0, 100), along(100, 100), along(500, 100), along(5, 0)]).toEqual([0, 100, 100, 0]);
  expect(along(9, 99)).toBeCloseTo(50);
});

describe('the text of a document', () => {
  it('is taken out and set out with nothing changed in it', () => {
    const text = '{"name":"a{\\"b","spec":{"n":12345678901234567890.10,"n":[1,{}],"t":"x:,\\\\"},"z":1}';
    const spec = memberOf(text, 'spec');
    expect(spec).toBe('{"n":12345678901234567890.10,"n":[1,{}],"t":"x:,\\\\"}');
    expect(setOut(spec ?? '')).toBe(
      '{\n  "n": 12345678901234567890.10,\n  "n": [\n    1,\n    {}\n  ],\n  "t": "x:,\\\\"\n}',
    );
    expect(memberOf(text, 'z')).toBe('1');
    expect(memberOf(text, 'n')).toBeUndefined();
    expect(memberOf('{"a":"spec","spec":2}', 'spec')).toBe('2');
  });
});

it('the address has a tab, a span and a due time', () => {
  expect(jobSearch({ tab: 'runs', from: '1', to: 'x', at: '3', view: 'table', y: '1' })).toEqual({
    tab: 'runs',
    from: '1',
    at: '3',
    view: 'table',
  });
  expect(jobSearch({ tab: 'moon', view: 'list' })).toEqual({});
});
