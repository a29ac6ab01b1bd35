// Calls of the API. What a page changes says that a page of this server sent it; answers tell the time of the cluster.
import createClient, { type Middleware } from 'openapi-fetch';
import { hear } from '../time/clock.ts';
import { pathName } from './names.ts';
import { ProblemError, problemOf } from './problem.ts';
import type { paths } from './schema';

export const BASE = '/api/v1';

/** The header without which nothing is changed by a session. */
export const CSRF = { 'Tickwheel-Csrf': '1' };

const refusals = new Set<() => void>();

/** Is called whenever an answer says that nobody is logged in. */
export function onLoggedOut(listener: () => void): () => void {
  refusals.add(listener);
  return () => refusals.delete(listener);
}

export function loggedOut(): void {
  for (const refusal of refusals) refusal();
}

const middleware: Middleware = {
  onRequest({ request }) {
    if (request.method !== 'GET' && request.method !== 'HEAD') request.headers.set('Tickwheel-Csrf', '1');
    return request;
  },
  onResponse({ response }) {
    const time = response.headers.get('Tickwheel-Time');
    if (time !== null) hear(Number(time));
    return response;
  },
};

export const api = createClient<paths>({
  baseUrl: BASE,
  querySerializer: { array: { style: 'form', explode: true } },
  pathSerializer: (path, params) =>
    path.replaceAll(/\{(\w+)\}/g, (_, name: string) => pathName(String(params[name] ?? ''))),
});
api.use(middleware);

type Answered<T> = { data?: T; error?: unknown; response: Response };

/** The data of an answer, or what it was refused with. */
export async function answered<T>(asked: Promise<Answered<T>>): Promise<NonNullable<T>> {
  let answer: Answered<T>;
  try {
    answer = await asked;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ProblemError(problemOf(0, undefined, ''));
  }
  if (answer.response.ok && answer.data !== undefined && answer.data !== null) return answer.data;
  if (answer.response.status === 401) loggedOut();
  throw new ProblemError(problemOf(answer.response.status, answer.error, answer.response.statusText));
}
