// What the tabs of a browser want to be told, taken together: the address of the one stream.

/** A topic: `now`, `runs`, `failures` (of `runs`, those that ended without success), `log:<run id>`. */
export type Topic = string;

/** A server takes so many at once. */
const TOPICS_MAX = 16;

/** The query of a stream for all that is wanted; empty: nothing is. */
export function streamQuery(topics: Iterable<Topic>): string {
  const wanted = new Set(topics);
  const query = new URLSearchParams();
  if (wanted.has('now')) query.append('topic', 'now');
  if (wanted.has('runs') || wanted.has('failures')) query.append('topic', 'runs');
  if (wanted.has('failures') && !wanted.has('runs')) {
    for (const state of ['failed', 'timed_out', 'expired']) query.append('state', state);
  }
  const logs = [...wanted].filter((topic) => topic.startsWith('log:')).sort();
  for (const log of logs.slice(0, TOPICS_MAX - 2)) query.append('topic', log);
  return query.toString();
}

/** What each tab wants, as it said last. A tab that says nothing for a while is gone. */
export class Wants {
  private tabs = new Map<string, { topics: Topic[]; heard: number }>();

  constructor(private readonly patienceMs: number) {}

  said(tab: string, topics: Topic[], now: number): void {
    if (topics.length === 0) this.tabs.delete(tab);
    else this.tabs.set(tab, { topics, heard: now });
  }

  all(now: number): Set<Topic> {
    for (const [tab, { heard }] of this.tabs) {
      if (now - heard > this.patienceMs) this.tabs.delete(tab);
    }
    return new Set([...this.tabs.values()].flatMap(({ topics }) => topics));
  }
}
