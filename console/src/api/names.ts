// Names in addresses: a slash in a name is written as a colon, which no name has.

export function pathName(name: string): string {
  return encodeURIComponent(name.replaceAll('/', ':')).replaceAll('%3A', ':').replaceAll('%40', '@');
}

/** The name that a part of an address stands for. */
export function nameOfPath(part: string): string {
  return part.replaceAll(':', '/');
}

/** An id with its middle left out, for a narrow place. Whoever copies it gets the whole. */
export function shortened(id: string, most = 28): string {
  if (id.length <= most) return id;
  const tail = Math.floor((most - 1) / 2);
  return `${id.slice(0, most - 1 - tail)}…${id.slice(-tail)}`;
}

/** Whether a text looks like the id of a run: a partition, a time, and more, with dots between. */
export function isRunId(text: string): boolean {
  return /^\d+\.\d+\.[^\s]+$/.test(text);
}
