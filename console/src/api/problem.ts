import type { components } from './schema';

export type Problem = components['schemas']['Problem'];

/** The code of a problem that is not the server's: it did not answer, or with what is no JSON. */
export const UNREACHABLE = 'UNREACHABLE';

/** What a request was refused with. */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.name = 'ProblemError';
    this.problem = problem;
  }

  /** Whether the same request may succeed a little later. */
  get mayPass(): boolean {
    return this.problem.code === UNREACHABLE || this.problem.status === 429 || this.problem.status >= 500;
  }
}

/** What an answer that is no success says; something about it where it says nothing. */
export function problemOf(status: number, body: unknown, statusText: string): Problem {
  if (body !== null && typeof body === 'object' && 'code' in body && 'detail' in body) return body as Problem;
  return {
    type: 'about:blank',
    title: statusText,
    status,
    detail: typeof body === 'string' ? body.slice(0, 500) : '',
    code: status === 0 ? UNREACHABLE : String(status),
    request_id: '',
  };
}

export function asProblem(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  const detail = error instanceof Error ? error.message : String(error);
  return { type: 'about:blank', title: '', status: 0, detail, code: UNREACHABLE, request_id: '' };
}
