// The one stream of events that a browser has: opened for some topics, opened again when it breaks, behind the last event.
import { BASE } from '../api/client.ts';
import { problemOf } from '../api/problem.ts';
import { EventParser, type ServerEvent } from './sse.ts';

/** How a stream is. */
export type StreamStatus =
  | { state: 'off' }
  | { state: 'connecting' }
  | { state: 'live' }
  | { state: 'down'; why: string; retryAt: number }
  | { state: 'refused'; status: number; why: string };

export interface StreamTells {
  /** A stream begins from its start, so that whoever keeps what a topic said begins anew. */
  started(): void;
  event(event: ServerEvent): void;
  status(status: StreamStatus): void;
}

const WAIT_FIRST_MS = 1_000;
const WAIT_MOST_MS = 30_000;
/** The server says something every 10 s. */
const SILENCE_MS = 25_000;

export class Stream {
  private stopping = new AbortController();
  private cursor = '';
  private waits = WAIT_FIRST_MS;

  constructor(
    private readonly query: string,
    private readonly tells: StreamTells,
  ) {
    void this.run();
  }

  stop(): void {
    this.stopping.abort();
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      this.tells.status({ state: 'connecting' });
      let why = '';
      let wait = 0;
      try {
        const refused = await this.once((ms) => {
          wait = ms;
        });
        if (this.stopping.signal.aborted) return;
        if (refused !== undefined) {
          this.tells.status(refused);
          if (refused.state === 'refused') return;
        }
      } catch (error) {
        if (this.stopping.signal.aborted) return;
        why = error instanceof Error ? error.message : String(error);
      }
      if (wait === 0) {
        // A little more or less, so that all browsers do not come at one moment.
        wait = this.waits * (0.75 + Math.random() / 2);
        this.waits = Math.min(this.waits * 2, WAIT_MOST_MS);
      }
      this.tells.status({ state: 'down', why, retryAt: Date.now() + wait });
      await sleep(wait, this.stopping.signal);
    }
  }

  /** One connection, until it ends. */
  private async once(again: (ms: number) => void): Promise<StreamStatus | undefined> {
    const silence = new AbortController();
    const signal = AbortSignal.any([this.stopping.signal, silence.signal]);
    const headers: Record<string, string> = { Accept: 'text/event-stream' };
    if (this.cursor !== '') headers['Last-Event-ID'] = this.cursor;
    const response = await fetch(`${BASE}/stream?${this.query}`, { headers, signal, cache: 'no-store' });
    if (!response.ok || response.body === null) {
      const problem = problemOf(response.status, await response.json().catch(() => undefined), response.statusText);
      if (response.status === 400 && this.cursor !== '') {
        // It may be the cursor that is not good any more.
        this.cursor = '';
        throw new Error(problem.detail);
      }
      const passes = [408, 429].includes(response.status);
      const isFinal = response.status >= 400 && response.status < 500 && !passes;
      if (isFinal) return { state: 'refused', status: response.status, why: problem.detail };
      if (problem.retry_after_ms) again(problem.retry_after_ms);
      throw new Error(problem.detail);
    }
    if (this.cursor === '') this.tells.started();
    this.tells.status({ state: 'live' });
    const parser = new EventParser();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let timer = setTimeout(() => silence.abort(), SILENCE_MS);
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return undefined;
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), SILENCE_MS);
        for (const event of parser.feed(value)) {
          const bye = this.take(event);
          if (bye !== undefined) {
            if (bye.retry_ms === 0) return { state: 'refused', status: 401, why: bye.reason };
            again(bye.retry_ms);
            return undefined;
          }
        }
      }
    } finally {
      clearTimeout(timer);
      reader.cancel().catch(() => undefined);
    }
  }

  private take(event: ServerEvent): { reason: string; retry_ms: number } | undefined {
    if (event.event === '') return undefined;
    this.waits = WAIT_FIRST_MS;
    if (event.id !== '') this.cursor = event.id;
    if (event.event === 'bye') return JSON.parse(event.data);
    this.tells.event(event);
    return undefined;
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
