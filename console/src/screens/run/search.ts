import { word } from '../../search.ts';

export const TABS = ['log', 'payload', 'result', 'attempts'] as const;
export type Tab = (typeof TABS)[number];

export interface RunSearch {
  tab?: Tab;
}

export function runSearch(search: Record<string, unknown>): RunSearch {
  const tab = TABS.find((one) => one === word(search, 'tab'));
  return tab === undefined ? {} : { tab };
}
