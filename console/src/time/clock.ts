// The clock of the cluster, as far as this browser knows it: ages are told by it, never by the clock of this machine alone.
//
// Each answer that tells the time was written a little before it came, so the sample with the greatest difference is the one that was
// on its way for the shortest time.
import { useSyncExternalStore } from 'react';

const KEPT = 20;

export class ServerClock {
  private samples: number[] = [];

  /** It was `serverMs` at the server, a little before `localMs` here. */
  heard(serverMs: number, localMs: number): void {
    if (!Number.isFinite(serverMs) || serverMs <= 0) return;
    this.samples.push(serverMs - localMs);
    if (this.samples.length > KEPT) this.samples.shift();
  }

  /** The time at the server; undefined while it said nothing. */
  at(localMs: number): number | undefined {
    return this.samples.length === 0 ? undefined : localMs + Math.max(...this.samples);
  }
}

export const clock = new ServerClock();

const TICK_MS = 1_000;
const listeners = new Set<() => void>();
let ticking: ReturnType<typeof setInterval> | undefined;
let second: number | undefined;

function tick(): void {
  second = clock.at(Date.now());
  for (const listener of listeners) listener();
}

/** Takes up what an answer says of the time. */
export function hear(serverMs: number): void {
  const isFirst = clock.at(Date.now()) === undefined;
  clock.heard(serverMs, Date.now());
  if (isFirst) tick();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  ticking ??= setInterval(tick, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0 && ticking !== undefined) {
      clearInterval(ticking);
      ticking = undefined;
    }
  };
}

/** The time at the server, each second anew; undefined while it is not known. */
export function useServerNow(): number | undefined {
  return useSyncExternalStore(subscribe, () => second);
}
