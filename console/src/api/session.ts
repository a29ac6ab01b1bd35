// Who is logged in. A page keeps no token: what is pasted is shown once, and a cookie that no script can read is given for it.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslations } from 'use-intl';
import { answered, api, BASE, CSRF } from './client.ts';
import { ProblemError, problemOf } from './problem.ts';
import type { components } from './schema';

export type Session = components['schemas']['Session'];
type Operation = Session['operations'][number];

export const SESSION = ['session'] as const;

export function useSession() {
  return useQuery({
    queryKey: SESSION,
    queryFn: ({ signal }) => answered(api.GET('/session', { signal })),
    staleTime: 60_000,
    retry: (count, error) => count < 2 && error instanceof ProblemError && error.mayPass,
  });
}

async function open(init: RequestInit): Promise<Session> {
  let response: Response;
  try {
    response = await fetch(`${BASE}/session`, { method: 'POST', ...init });
  } catch {
    throw new ProblemError(problemOf(0, undefined, ''));
  }
  const body: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw new ProblemError(problemOf(response.status, body, response.statusText));
  return body as Session;
}

/** Logs in with a token. */
export function openWithToken(token: string): Promise<Session> {
  return open({ headers: { ...CSRF, Authorization: `Bearer ${token}` } });
}

/** Logs in with the code of a link, which is good once. */
export function openWithCode(code: string): Promise<Session> {
  const headers = { ...CSRF, 'Content-Type': 'application/json' };
  return open({ headers, body: JSON.stringify({ code }) });
}

export function useLogOut(): () => Promise<void> {
  const queries = useQueryClient();
  return async () => {
    await answered(api.DELETE('/session')).catch(() => undefined);
    queries.clear();
    // Nothing of what was seen stays in the memory of the page.
    location.assign('/login');
  };
}

/** Whether who is logged in may do something, and if not, why. */
export function useMay(operation: Operation): { may: boolean; why: string | undefined } {
  const { data } = useSession();
  const t = useTranslations('common');
  if (data === undefined) return { may: false, why: undefined };
  const may = data.operations.includes(operation);
  return { may, why: may ? undefined : t('needsMore', { role: data.scope.role }) };
}
