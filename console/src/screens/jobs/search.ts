// What the list of jobs is asked for: its address.
import { word, words } from '../../search.ts';

export interface JobsSearch {
  /** The beginning of their names. */
  prefix?: string;
  /** Labels, or labels and their values. */
  label?: string[];
}

export function jobsSearch(search: Record<string, unknown>): JobsSearch {
  const found: JobsSearch = {};
  const prefix = word(search, 'prefix');
  if (prefix !== undefined) found.prefix = prefix;
  const label = words(search, 'label');
  if (label.length > 0) found.label = [...new Set(label)];
  return found;
}

export function isFiltered(search: JobsSearch): boolean {
  return search.prefix !== undefined || search.label !== undefined;
}

/** The same list with one label more, or less. */
export function withLabel(search: JobsSearch, label: string): JobsSearch {
  return { ...search, label: [...new Set([...(search.label ?? []), label])] };
}

export function withoutLabel(search: JobsSearch, label: string): JobsSearch {
  const { label: there = [], ...rest } = search;
  const left = there.filter((one) => one !== label);
  return left.length === 0 ? rest : { ...rest, label: left };
}
