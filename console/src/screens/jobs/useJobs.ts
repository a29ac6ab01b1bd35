import { useInfiniteQuery } from '@tanstack/react-query';
import { answered, api } from '../../api/client.ts';
import type { components } from '../../api/schema';
import type { JobsSearch } from './search.ts';

export type Job = components['schemas']['Job'];
export type JobPage = components['schemas']['JobPage'];

const PAGE_SIZE = 50;
const ASK_EVERY_MS = 3_000;

/** Pages of the list, in the order of names. */
export function useJobs(search: JobsSearch, live: boolean) {
  return useInfiniteQuery({
    queryKey: ['jobs', search],
    queryFn: ({ pageParam, signal }) =>
      answered(
        api.GET('/jobs', {
          params: { query: { ...search, page_size: PAGE_SIZE, ...(pageParam === '' ? {} : { cursor: pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page: JobPage) => page.next_cursor || undefined,
    // Only the first page is looked at again by itself: more of them are many requests.
    refetchInterval: (query) => (live && query.state.data?.pages.length === 1 ? ASK_EVERY_MS : false),
  });
}

/** Jobs of all pages, each once. */
export function jobsOf(pages: readonly JobPage[]): Job[] {
  const jobs = new Map<string, Job>();
  for (const page of pages) for (const job of page.items) if (!jobs.has(job.name)) jobs.set(job.name, job);
  return [...jobs.values()];
}
