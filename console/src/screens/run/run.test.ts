import { describe, expect, it } from 'vitest';
import { asText, KEPT, matches, NOTHING, withLines } from './lines.ts';
import type { Run } from './RunPage.tsx';
import { segmentsOf } from './segments.ts';

const BLANK = { due_ms: 0, claimed_ms: 0, ended_ms: 0, next_attempt_ms: 0, attempt: 0, attempts: [], state: 'ready' };
const run = (some: object) => ({ ...BLANK, ...some }) as unknown as Run;
const short = (some: object, now = 0) =>
  segmentsOf(run(some), now).map(({ kind, attempt, outcome, from, to }) => [kind, attempt, outcome, from, to]);

describe('the parts of a run', () => {
  it('of one that waits', () => {
    expect(short({ due_ms: 10 }, 30)).toEqual([['wait', 0, '', 10, 30]]);
    expect(short({ due_ms: 50, state: 'scheduled' }, 30)).toEqual([]);
  });

  it('of one that runs, and of one that is over', () => {
    expect(short({ due_ms: 10, claimed_ms: 12, attempt: 1, state: 'running' }, 30)).toEqual([
      ['wait', 0, '', 10, 12],
      ['attempt', 1, 'running', 12, 30],
    ]);
    expect(short({ due_ms: 10, claimed_ms: 10, ended_ms: 25, attempt: 1, state: 'succeeded' }, 90)).toEqual([
      ['attempt', 1, 'succeeded', 10, 25],
    ]);
  });

  it('of one whose attempts failed', () => {
    const attempts = [
      { attempt: 1, claimed_ms: 11, ended_ms: 20, outcome: 'failed' },
      { attempt: 2, claimed_ms: 0, ended_ms: 40, outcome: 'lost' },
    ];
    expect(
      short({ due_ms: 10, attempts, attempt: 2, claimed_ms: 40, next_attempt_ms: 90, state: 'retrying' }, 50),
    ).toEqual([
      ['wait', 0, '', 10, 11],
      ['attempt', 1, 'failed', 11, 20],
      ['pause', 0, '', 20, 40],
      ['attempt', 2, 'lost', 40, 40],
      ['pause', 0, '', 40, 90],
    ]);
    const last = { attempt: 3, claimed_ms: 90, ended_ms: 99, state: 'failed' };
    expect(short({ due_ms: 10, attempts, ...last }, 999).at(-1)).toEqual(['attempt', 3, 'failed', 90, 99]);
  });
});

describe('a log', () => {
  const line = (text: string) => ({ time_ms: 0, attempt: 1, level: 'info' as const, line: text });

  it('keeps the newest lines, and their numbers', () => {
    let log = withLines(NOTHING, [line('a')], false);
    log = withLines(
      log,
      Array.from({ length: KEPT }, (_, at) => line(String(at))),
      false,
    );
    expect(log.lines).toHaveLength(KEPT);
    expect(log.lines[0]?.number).toBe(2);
    expect(log.lines.at(-1)?.number).toBe(KEPT + 1);
    expect(withLines(log, [], true).ended).toBe(true);
  });

  it('is searched in any case of letters', () => {
    const { lines } = withLines(NOTHING, [line('Reset by peer'), line('ok'), line('RESET')], false);
    expect(matches(lines, ' reset ')).toEqual([0, 2]);
    expect(matches(lines, '  ')).toEqual([]);
    expect(asText(lines)).toContain('1970-01-01T00:00:00.000Z 1 info Reset by peer\n');
  });
});
