// What a cell shows: how it is filled by what became of due times, and which mark the ends of their runs give it.
import type { components } from '../../api/schema';

export type LedgerRecord = components['schemas']['LedgerRecord'];
export type JobStats = components['schemas']['JobStats'];
export type StatsCell = components['schemas']['StatsCell'];

export const VERDICTS = ['fired', 'skipped', 'missed', 'cancelled', 'redefined'] as const;
export type Verdict = (typeof VERDICTS)[number];
export const isVerdict = (text: string): text is Verdict => VERDICTS.some((one) => one === text);

export interface Look {
  /** Nothing was due: `none`. */
  fill: Verdict | 'none';
  /** The state of its run; empty: it has none, or it is not kept. */
  mark: string;
  isLate: boolean;
}

/** A decision that comes so much after the due time is late. */
export const LATE_MS = 1_000;

/** How late it was decided that a due time fires; undefined: that is not said. */
export function lateness(record: LedgerRecord): number | undefined {
  return record.verdict === 'fired' && record.decided_ms > 0
    ? Math.max(0, record.decided_ms - record.due_ms)
    : undefined;
}

export function lookOf(record: LedgerRecord, states: ReadonlyMap<string, string>): Look {
  const fill = isVerdict(record.verdict) ? record.verdict : 'redefined';
  const mark = fill === 'fired' ? (states.get(record.run_id) ?? '') : '';
  return { fill, mark, isLate: record.count === 1 && (lateness(record) ?? 0) >= LATE_MS };
}

/** What is worst in a span of time is what is seen of it. */
export function lookOfSpan(cell: StatsCell): Look {
  const look = (fill: Look['fill'], mark = ''): Look => ({ fill, mark, isLate: false });
  if (cell.failed > 0) return look('fired', 'failed');
  if (cell.missed > 0) return look('missed');
  if (cell.fired > 0) return look('fired', cell.succeeded > 0 ? 'succeeded' : '');
  if (cell.skipped > 0) return look('skipped');
  return look(cell.cancelled > 0 ? 'cancelled' : 'none');
}

/** More spans are not drawn: the newest are. */
const SPANS_MAX = 130;

/** All spans from the first to the last, those in which nothing was due too. */
export function spansOf({ cells, cell_ms: width }: JobStats): StatsCell[] {
  const first = cells[0]?.from_ms;
  const last = cells.at(-1)?.from_ms;
  if (first === undefined || last === undefined || width <= 0) return [];
  const there = new Map(cells.map((cell) => [cell.from_ms, cell]));
  const spans: StatsCell[] = [];
  for (let from = Math.max(first, last - (SPANS_MAX - 1) * width); from <= last; from += width) {
    const none = { from_ms: from, fired: 0, skipped: 0, missed: 0, cancelled: 0, succeeded: 0, failed: 0 };
    spans.push(there.get(from) ?? none);
  }
  return spans;
}

/** Where the cursor is after a key; undefined: the key is not one of its own. */
export function moved(key: string, at: number, count: number, columns: number): number | undefined {
  const steps: Record<string, number> = {
    ArrowRight: 1,
    ArrowLeft: -1,
    ArrowDown: columns,
    ArrowUp: -columns,
    Home: -count,
    End: count,
  };
  const step = steps[key];
  return step === undefined ? undefined : Math.max(0, Math.min(count - 1, at + step));
}

/** How far along a scale a duration is, in percent: equal factors are equal steps. */
export function along(ms: number, most: number): number {
  return most <= 0 ? 0 : Math.min(100, (100 * Math.log1p(Math.max(0, ms))) / Math.log1p(most));
}
