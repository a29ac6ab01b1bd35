// Keys that are commands. They are off where somebody writes, where a dialog is open, and for whoever turned them off.
import { useEffect, useRef } from 'react';
import { prefs } from '../prefs.ts';

/** What a key does; `g r` is one after the other. */
export type Keys = Record<string, () => void>;

const stack: { current: Keys }[] = [];
let first = '';
let firstAt = 0;
const TOGETHER_MS = 1_000;

/** Whether somebody writes into what has the focus. */
function isWriting(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

/** What the keys so far mean: the newest page that knows them. */
function find(keys: string): (() => void) | undefined {
  for (const { current } of [...stack].reverse()) {
    const found = current[keys];
    if (found !== undefined) return found;
  }
  return undefined;
}

export function onKey(event: KeyboardEvent, now: number): void {
  if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === 'k') {
    const search = find('/');
    if (search !== undefined) {
      event.preventDefault();
      search();
    }
    return;
  }
  if (event.metaKey || event.ctrlKey || event.altKey || event.isComposing) return;
  if (
    !prefs().keys ||
    isWriting(event.target) ||
    document.querySelector('[role=dialog],[role=alertdialog],[role=menu]')
  )
    return;
  const pair = now - firstAt < TOGETHER_MS && first !== '' ? `${first} ${event.key}` : event.key;
  const found = find(pair) ?? find(event.key);
  first = event.key === 'g' && pair === 'g' ? 'g' : '';
  firstAt = now;
  if (found === undefined) return;
  event.preventDefault();
  found();
}

let isListening = false;

/** These keys are commands while the component is there. */
export function useKeys(keys: Keys): void {
  const held = useRef(keys);
  useEffect(() => {
    held.current = keys;
  });
  useEffect(() => {
    if (!isListening) {
      isListening = true;
      addEventListener('keydown', (event) => onKey(event, event.timeStamp));
    }
    stack.push(held);
    return () => {
      stack.splice(stack.indexOf(held), 1);
    };
  }, []);
}
