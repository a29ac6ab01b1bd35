import { describe, expect, it } from 'vitest';
import en from './en/index.ts';
import zh from './zh-CN/index.ts';

type Tree = { [key: string]: string | Tree };

function flat(tree: Tree, before = ''): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string' ? [[`${before}${key}`, value] as [string, string]] : flat(value, `${before}${key}.`),
  );
}

/** The names in braces that a text has. */
const names = (text: string) => [...text.matchAll(/\{(\w+)[,}]/g)].map(([, name]) => name).sort();

describe('the texts of both languages', () => {
  const english = new Map(flat(en));
  const chinese = new Map(flat(zh));

  it('have the same keys', () => {
    expect([...chinese.keys()].sort()).toEqual([...english.keys()].sort());
  });

  it('are told the same', () => {
    for (const [key, text] of english) expect([key, names(chinese.get(key) ?? '')]).toEqual([key, names(text)]);
  });

  it('are there', () => {
    for (const [key, text] of [...english, ...chinese]) expect(text.trim(), key).not.toBe('');
  });
});
