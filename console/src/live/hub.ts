// What is going on, told to whoever wants it in this tab. All tabs of a browser have one stream: the tab that holds a lock opens it, and hands
// on what it is told by a channel. Where a browser has no locks (a page that is not from a secure origin), each tab has its own.
import { loggedOut } from '../api/client.ts';
import { hear } from '../time/clock.ts';
import type { ServerEvent } from './sse.ts';
import { Stream, type StreamStatus } from './stream.ts';
import { streamQuery, type Topic, Wants } from './wants.ts';

type Message =
  | { kind: 'wants'; tab: string; topics: Topic[]; anew: boolean }
  | { kind: 'who' }
  | { kind: 'started' }
  | { kind: 'event'; event: ServerEvent }
  | { kind: 'status'; status: StreamStatus };

/** What a page gets of a topic: `undefined` where what it kept begins anew. */
export type Heard = (event: ServerEvent | undefined) => void;

const SAY_EVERY_MS = 20_000;
/** Timers of a tab that nobody sees run once a minute at worst. */
const GONE_AFTER_MS = 150_000;
const HIDDEN_AFTER_MS = 30_000;
const GATHER_MS = 150;

/** One object, as whoever watches compares it with the one before. */
const OFF: StreamStatus = { state: 'off' };

export class Hub {
  private readonly tab = Math.random().toString(36).slice(2);
  private readonly channel = new BroadcastChannel('tickwheel-stream');
  private readonly listeners = new Map<Topic, Set<Heard>>();
  private readonly watchers = new Set<() => void>();
  private readonly wants = new Wants(GONE_AFTER_MS);
  private current: StreamStatus = OFF;
  private isHidden = false;
  private isOff = false;
  private leads = false;
  private stream: { query: string; stream: Stream } | undefined;
  private gathering: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.channel.onmessage = (message: MessageEvent<Message>) => this.take(message.data);
    setInterval(() => this.say(false), SAY_EVERY_MS);
    this.watchVisibility();
    addEventListener('pagehide', () => this.send({ kind: 'wants', tab: this.tab, topics: [], anew: false }));
    if ('locks' in navigator) {
      void navigator.locks.request('tickwheel-stream', () => {
        this.lead();
        // Until this tab is closed.
        return new Promise<void>(() => undefined);
      });
    } else {
      this.lead();
    }
    this.send({ kind: 'who' });
  }

  get status(): StreamStatus {
    return this.isOff ? OFF : this.current;
  }

  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  subscribe(topic: Topic, heard: Heard): () => void {
    const there = this.listeners.get(topic);
    if (there === undefined) this.listeners.set(topic, new Set([heard]));
    else there.add(heard);
    // A log is told from its beginning to whoever comes, so the stream begins anew for a second listener as well.
    this.say(topic.startsWith('log:'));
    return () => {
      const left = this.listeners.get(topic);
      left?.delete(heard);
      if (left?.size === 0) this.listeners.delete(topic);
      this.say(false);
    };
  }

  /** Whether this tab follows at all. */
  follow(on: boolean): void {
    if (this.isOff === !on) return;
    this.isOff = !on;
    this.say(on);
    this.tell();
  }

  private topics(): Topic[] {
    return this.isHidden || this.isOff ? [] : [...this.listeners.keys()];
  }

  private say(anew: boolean): void {
    this.send({ kind: 'wants', tab: this.tab, topics: this.topics(), anew });
  }

  /** To the other tabs, and to this one. */
  private send(message: Message): void {
    // Without locks nobody speaks for another tab.
    if ('locks' in navigator) this.channel.postMessage(message);
    this.take(message);
  }

  private take(message: Message): void {
    switch (message.kind) {
      case 'wants':
        if (!this.leads) return;
        this.wants.said(message.tab, message.topics, Date.now());
        this.gather(message.anew);
        return;
      case 'who':
        this.say(false);
        if (this.leads) this.send({ kind: 'status', status: this.current });
        return;
      case 'started':
        for (const heard of this.each()) heard(undefined);
        return;
      case 'event':
        this.hand(message.event);
        return;
      case 'status':
        this.current = message.status;
        if (message.status.state === 'refused' && message.status.status === 401) loggedOut();
        this.tell();
        return;
    }
  }

  private *each(): Iterable<Heard> {
    for (const heards of [...this.listeners.values()]) yield* [...heards];
  }

  private tell(): void {
    for (const watcher of this.watchers) watcher();
  }

  private hand(event: ServerEvent): void {
    const topics: Topic[] = [];
    if (event.event === 'now') {
      const { time_ms } = JSON.parse(event.data) as { time_ms: number };
      hear(time_ms);
      topics.push('now');
    } else if (event.event === 'runs') topics.push('runs', 'failures');
    else if (event.event === 'log') topics.push(`log:${(JSON.parse(event.data) as { run_id: string }).run_id}`);
    else if (event.event === 'lagged') {
      const { topic } = JSON.parse(event.data) as { topic: string };
      topics.push(...(topic === 'runs' ? ['runs', 'failures'] : [topic]));
    }
    for (const topic of topics) for (const heard of [...(this.listeners.get(topic) ?? [])]) heard(event);
  }

  private lead(): void {
    this.leads = true;
    this.send({ kind: 'who' });
    setInterval(() => this.gather(false), SAY_EVERY_MS);
  }

  /** Opens the stream that is wanted now, a moment later: pages come and go together. */
  private gather(anew: boolean): void {
    if (anew) {
      this.stream?.stream.stop();
      this.stream = undefined;
    }
    this.gathering ??= setTimeout(() => {
      this.gathering = undefined;
      const query = streamQuery(this.wants.all(Date.now()));
      if (query === this.stream?.query) return;
      this.stream?.stream.stop();
      this.stream = undefined;
      if (query === '') {
        this.send({ kind: 'status', status: { state: 'off' } });
        return;
      }
      const stream = new Stream(query, {
        started: () => this.send({ kind: 'started' }),
        event: (event) => this.send({ kind: 'event', event }),
        status: (status) => this.send({ kind: 'status', status }),
      });
      this.stream = { query, stream };
    }, GATHER_MS);
  }

  private watchVisibility(): void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    document.addEventListener('visibilitychange', () => {
      clearTimeout(timer);
      if (document.visibilityState === 'hidden') {
        timer = setTimeout(() => {
          this.isHidden = true;
          this.say(false);
        }, HIDDEN_AFTER_MS);
      } else if (this.isHidden) {
        this.isHidden = false;
        this.say(true);
      }
    });
  }
}
