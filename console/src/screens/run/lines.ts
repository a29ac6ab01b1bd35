// The lines of a log as a page keeps them: the newest of them, each with a number of its own that links can name.
import type { components } from '../../api/schema';

export type LogLine = components['schemas']['LogLine'];

export interface Line extends LogLine {
  number: number;
}

export interface Lines {
  lines: readonly Line[];
  /** Lines that came so far. */
  came: number;
  /** The run has ended: nothing more comes. */
  ended: boolean;
}

export const NOTHING: Lines = { lines: [], came: 0, ended: false };
/** As many as a page keeps. */
export const KEPT = 5_000;

/** With these lines behind the others. */
export function withLines(before: Lines, more: readonly LogLine[], ended: boolean): Lines {
  const numbered = more.map((line, at) => ({ ...line, number: before.came + at + 1 }));
  const lines = [...before.lines, ...numbered];
  return {
    lines: lines.length > KEPT ? lines.slice(-KEPT) : lines,
    came: before.came + more.length,
    ended: ended || before.ended,
  };
}

/** Where a text stands in lines, by their places. */
export function matches(lines: readonly Line[], sought: string): number[] {
  const word = sought.trim().toLowerCase();
  if (word === '') return [];
  return lines.flatMap((line, at) => (line.line.toLowerCase().includes(word) ? [at] : []));
}

/** A log as a file. */
export function asText(lines: readonly Line[]): string {
  return lines
    .map(({ time_ms, attempt, level, line }) => `${new Date(time_ms).toISOString()} ${attempt} ${level} ${line}\n`)
    .join('');
}
