import { word } from '../../search.ts';

export const TABS = ['ledger', 'numbers', 'runs', 'definition'] as const;
export type Tab = (typeof TABS)[number];

export interface JobSearch {
  tab?: Tab;
  /** Due times from here on, in milliseconds since 1970. */
  from?: string;
  /** And before this. */
  to?: string;
  /** The due time that is explained. */
  at?: string;
  /** Due times are rows of a table. */
  view?: 'table';
}

const MS = /^\d{1,16}$/;

export function jobSearch(search: Record<string, unknown>): JobSearch {
  const found: JobSearch = {};
  const tab = TABS.find((one) => one === word(search, 'tab'));
  if (tab !== undefined) found.tab = tab;
  for (const key of ['from', 'to', 'at'] as const) {
    const value = word(search, key);
    if (value !== undefined && MS.test(value)) found[key] = value;
  }
  if (word(search, 'view') === 'table') found.view = 'table';
  return found;
}
