// What stands behind the `?` of an address: words, a word that stands several times is a list. The same as in calls of the API.

export type Search = Record<string, string | string[]>;

export function parseSearch(text: string): Search {
  const found: Search = {};
  for (const [key, value] of new URLSearchParams(text)) {
    const there = Object.hasOwn(found, key) ? found[key] : undefined;
    if (there === undefined) found[key] = value;
    else found[key] = Array.isArray(there) ? [...there, value] : [there, value];
  }
  return found;
}

export function stringifySearch(search: Record<string, unknown>): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(search)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null && one !== '') query.append(key, String(one));
    }
  }
  const text = query.toString().replaceAll('%2F', '/').replaceAll('%3A', ':').replaceAll('%40', '@');
  return text === '' ? '' : `?${text}`;
}

/** One word of an address: the last one where there are several. */
export function word(search: Record<string, unknown>, key: string): string | undefined {
  const value = search[key];
  const last = Array.isArray(value) ? value.at(-1) : value;
  return typeof last === 'string' && last !== '' ? last : undefined;
}

/** All words of an address under one key. */
export function words(search: Record<string, unknown>, key: string): string[] {
  const value = search[key];
  return (Array.isArray(value) ? value : [value]).filter((one): one is string => typeof one === 'string' && one !== '');
}
