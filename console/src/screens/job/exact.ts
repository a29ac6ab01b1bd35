// JSON that is set out in lines without being read: each number and string stays as it was answered.

const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
const tokensOf = (text: string): string[] => text.match(TOKENS) ?? [];

/** The text of a member of an object; undefined: it has none of this name. */
export function memberOf(text: string, name: string): string | undefined {
  let depth = 0;
  let before = '';
  let isIn = false;
  let found = '';
  for (const token of tokensOf(text)) {
    const opens = token === '{' || token === '[';
    const closes = token === '}' || token === ']';
    if (closes) depth -= 1;
    if (isIn && depth <= 1 && ((closes && depth === 0) || (token === ',' && depth === 1))) return found;
    if (isIn && !(found === '' && token === ':')) found += token;
    if (!isIn && depth === 1 && token === JSON.stringify(name) && (before === '{' || before === ',')) isIn = true;
    if (opens) depth += 1;
    before = token;
  }
  return undefined;
}

/** The same text, one member on each line. */
export function setOut(text: string): string {
  let out = '';
  let depth = 0;
  let before = '';
  const line = () => `\n${'  '.repeat(depth)}`;
  for (const token of tokensOf(text)) {
    const closes = token === '}' || token === ']';
    if (closes) depth -= 1;
    const follows = before === '{' || before === '[' || before === ',';
    if (closes ? !follows : follows) out += line();
    out += token === ':' ? ': ' : token;
    if (token === '{' || token === '[') depth += 1;
    before = token;
  }
  return out;
}
