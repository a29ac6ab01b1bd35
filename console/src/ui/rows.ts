// Rows of a long list: only those in sight are in the document, and keys go through all of them.
import { useVirtualizer } from '@tanstack/react-virtual';
import { useLayoutEffect, useRef, useState } from 'react';
import { useKeys } from '../shell/keys.ts';

const NARROW = '(max-width: 900px)';

/** Whether rows are cards. */
export function useNarrow(): boolean {
  const [isNarrow, setNarrow] = useState(() => matchMedia(NARROW).matches);
  useLayoutEffect(() => {
    const query = matchMedia(NARROW);
    const take = () => setNarrow(query.matches);
    query.addEventListener('change', take);
    return () => query.removeEventListener('change', take);
  }, []);
  return isNarrow;
}

/** The rows in sight, each `high` pixels, and the one that `j` and `k` have chosen, which `Enter` opens. */
export function useRows<T>(rows: readonly T[], high: number, keyOf: (row: T) => string, open: (row: T) => void) {
  const body = useRef<HTMLDivElement>(null);
  const [offset, setOffset] = useState(0);
  const [chosen, setChosen] = useState(-1);
  useLayoutEffect(() => setOffset(body.current?.offsetTop ?? 0), []);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => document.getElementById('content'),
    estimateSize: () => high,
    overscan: 12,
    scrollMargin: offset,
    getItemKey: (at) => {
      const row = rows[at];
      return row === undefined ? at : keyOf(row);
    },
  });
  // Rows are as high as was chosen, from now on.
  useLayoutEffect(() => {
    if (high > 0) virtual.measure();
  }, [high, virtual]);
  const move = (step: number) => {
    const at = Math.max(0, Math.min(rows.length - 1, chosen + step));
    setChosen(at);
    virtual.scrollToIndex(at, { align: 'auto' });
  };
  const openChosen = () => {
    const row = rows[chosen];
    if (row !== undefined) open(row);
  };
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    Enter: openChosen,
  });
  return { body, virtual, offset, chosen };
}
