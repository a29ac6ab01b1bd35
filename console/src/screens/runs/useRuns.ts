// Pages of the list. A page looks at a bounded number of entries, so one may come with no row and go on behind it.
import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { answered, api } from '../../api/client.ts';
import type { components } from '../../api/schema';
import type { RunsSearch } from './search.ts';

export type Run = components['schemas']['Run'];
export type RunPage = components['schemas']['RunPage'];

const PAGE_SIZE = 50;
/** So often the page looks further by itself when it found nothing. */
const GOES_ON = 5;
const ASK_EVERY_MS = 5_000;

/** The pages so far, and whether somebody has to ask for more. */
export function useRuns(search: RunsSearch, live: boolean) {
  const pages = useInfiniteQuery({
    queryKey: ['runs', search],
    queryFn: ({ pageParam, signal }) =>
      answered(
        api.GET('/runs', {
          params: { query: { ...search, page_size: PAGE_SIZE, ...(pageParam === '' ? {} : { cursor: pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page: RunPage) => page.next_cursor || undefined,
    // Only the first page is looked at again by itself: more of them are many requests, and rows would move under the reader.
    refetchInterval: (query) => (live && query.state.data?.pages.length === 1 ? ASK_EVERY_MS : false),
  });
  const all = pages.data?.pages ?? [];
  const found = all.reduce((sum, page) => sum + page.items.length, 0);
  const goesOn = found === 0 && pages.hasNextPage && all.length <= GOES_ON;
  const { fetchNextPage, isFetching } = pages;
  useEffect(() => {
    if (goesOn && !isFetching) void fetchNextPage();
  }, [goesOn, isFetching, fetchNextPage]);
  return { pages, goesOn };
}

/** Rows of all pages, each run once: what moves between two pages may come in both. */
export function rowsOf(pages: readonly RunPage[]): Run[] {
  const rows = new Map<string, Run>();
  for (const page of pages) for (const run of page.items) if (!rows.has(run.id)) rows.set(run.id, run);
  return [...rows.values()];
}

/** What the pages say of themselves together. */
export function lookedOf(pages: readonly RunPage[]): { entries: number; of: number; since: number; why: string } {
  const looked = { entries: 0, of: 0, since: 0, why: '' };
  for (const page of pages) {
    looked.entries += page.looked.entries;
    looked.of = Math.max(looked.of, page.looked.of);
    if (page.looked.complete_since_ms > looked.since) {
      looked.since = page.looked.complete_since_ms;
      looked.why = page.looked.horizon ?? '';
    }
  }
  looked.of = Math.max(looked.of, looked.entries);
  return looked;
}
