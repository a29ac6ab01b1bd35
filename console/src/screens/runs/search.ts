// What the list of runs is asked for: its address.
import { word, words } from '../../search.ts';
import { isState, type State } from '../../ui/State.tsx';

export interface RunsSearch {
  state?: Exclude<State, 'lost'>[];
  job?: string;
  group?: string;
  handler?: string;
  worker?: string;
  error?: string;
  order?: 'ended' | 'due';
  due_from?: string;
  due_to?: string;
  ended_from?: string;
  ended_to?: string;
}

/** The keys of an address that are one word. */
export const WORDS = [
  'job',
  'group',
  'handler',
  'worker',
  'error',
  'due_from',
  'due_to',
  'ended_from',
  'ended_to',
] as const;

export function runsSearch(search: Record<string, unknown>): RunsSearch {
  const found: RunsSearch = {};
  const state = words(search, 'state').filter((one): one is Exclude<State, 'lost'> => isState(one) && one !== 'lost');
  if (state.length > 0) found.state = [...new Set(state)];
  const order = word(search, 'order');
  if (order === 'ended' || order === 'due') found.order = order;
  for (const key of WORDS) {
    const value = word(search, key);
    if (value !== undefined) found[key] = value;
  }
  return found;
}

/** How many filters there are. */
export function filters(search: RunsSearch): number {
  return WORDS.filter((key) => search[key] !== undefined).length + (search.state?.length ?? 0);
}
