// The parts of a run on a line of time: only instants that the server told, and how far they lie apart.
import type { Run } from './RunPage.tsx';

export interface Segment {
  key: string;
  /** `wait` for a permit, `pause` before another attempt, or an attempt. */
  kind: 'wait' | 'pause' | 'attempt';
  attempt: number;
  /** How an attempt ended; the state of the run for its last one. */
  outcome: string;
  from: number;
  to: number;
}

/** What there was from its due time to `now`, or to its end. */
export function segmentsOf(run: Run, now: number): Segment[] {
  const segments: Segment[] = [];
  let last = run.due_ms;
  const gap = (until: number, kind: 'wait' | 'pause') => {
    if (last > 0 && until > last) {
      segments.push({ key: `${kind} ${last}`, kind, attempt: 0, outcome: '', from: last, to: until });
    }
  };
  const tried = [...run.attempts].filter((one) => one.claimed_ms > 0 || one.ended_ms > 0);
  for (const one of tried) {
    const from = one.claimed_ms || one.ended_ms;
    gap(from, segments.length === 0 ? 'wait' : 'pause');
    const { attempt, outcome } = one;
    segments.push({
      key: `attempt ${attempt}`,
      kind: 'attempt',
      attempt,
      outcome,
      from,
      to: Math.max(from, one.ended_ms),
    });
    last = Math.max(from, one.ended_ms);
  }
  const isTold = tried.some((one) => one.attempt === run.attempt);
  if (run.claimed_ms > 0 && !isTold) {
    gap(run.claimed_ms, segments.length === 0 ? 'wait' : 'pause');
    const to = run.ended_ms || Math.max(now, run.claimed_ms);
    segments.push({
      key: `attempt ${run.attempt}`,
      kind: 'attempt',
      attempt: run.attempt,
      outcome: run.state,
      from: run.claimed_ms,
      to,
    });
  } else if (run.ended_ms === 0) {
    gap(run.state === 'retrying' ? Math.max(run.next_attempt_ms, last) : now, segments.length === 0 ? 'wait' : 'pause');
  }
  return segments;
}
