// The same as a page does, for a terminal.
import { BASE } from '../api/client.ts';

/** A word as a shell takes it. */
export function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

export function cli(...words: string[]): string {
  return ['tickwheel', ...words].map(quoted).join(' ');
}

/** A call of the API. The token is read from a file, as a command line is seen by others. */
export function curl(path: string, method: 'GET' | 'POST' = 'GET'): string {
  const verb = method === 'GET' ? '' : `-X ${method} `;
  return `curl -s ${verb}-H @token.header ${quoted(`${location.origin}${BASE}${path}`)}`;
}
