import { useEffect, useRef, useSyncExternalStore } from 'react';
import { Hub } from './hub.ts';
import type { ServerEvent } from './sse.ts';
import type { StreamStatus } from './stream.ts';
import type { Topic } from './wants.ts';

let hub: Hub | undefined;

export function theHub(): Hub {
  hub ??= new Hub();
  return hub;
}

/** Is told what a topic says while the component is there; nothing where the topic is undefined. */
export function useTopic(topic: Topic | undefined, heard: (event: ServerEvent | undefined) => void): void {
  const latest = useRef(heard);
  useEffect(() => {
    latest.current = heard;
  });
  useEffect(() => {
    if (topic === undefined) return undefined;
    return theHub().subscribe(topic, (event) => latest.current(event));
  }, [topic]);
}

export function useStreamStatus(): StreamStatus {
  return useSyncExternalStore(
    (listener) => theHub().watch(listener),
    () => theHub().status,
  );
}
