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
export function curl(path: string, method: 'GET' | 'POST' | 'DELETE' = 'GET', ...headers: string[]): string {
  const verb = method === 'GET' ? '' : `-X ${method} `;
  const more = headers.map((header) => `-H ${quoted(header)} `).join('');
  return `curl -s ${verb}-H @token.header ${more}${quoted(`${location.origin}${BASE}${path}`)}`;
}

/** The same with a body of JSON. */
export function withBody(command: string, body: object): string {
  return `${command} -H 'content-type: application/json' -d ${quoted(JSON.stringify(body))}`;
}
