// Icons, each a path of 16 by 16. Those of states differ in shape as well as in colour.
const STATES: Record<string, string> = {
  scheduled: 'M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8M8 4.6V8l2.6 1.6',
  ready: 'M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8M5.2 8.2l2 2 3.6-4',
  queued: 'M2.5 4h11M2.5 8h11M2.5 12h7',
  running: 'M5 3.2v9.6L12.6 8z',
  waiting_for_subtasks: 'M3 8h4M7 8l3-4.5h3.5M7 8l3 4.5h3.5',
  retrying: 'M13.2 8a5.2 5.2 0 1 1-1.6-3.7M13.4 1.8v3.4H10',
  succeeded: 'M2.8 8.6l3.4 3.4 7-8',
  failed: 'M3.6 3.6l8.8 8.8M12.4 3.6l-8.8 8.8',
  timed_out: 'M4 1.8h8M4 14.2h8M5 1.8c0 4 6 4.4 6 6.2s-6 2.2-6 6.2M11 1.8C11 5.8 5 6.2 5 8s6 2.2 6 6.2',
  cancelled: 'M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8M3.7 3.7l8.6 8.6',
  expired:
    'M8 1.8a6.2 6.2 0 0 1 2.2.4M12.6 3.8a6.2 6.2 0 0 1 1.5 3M14 9.4a6.2 6.2 0 0 1-1.7 3M10.2 13.8a6.2 6.2 0 0 1-3.2.3M4.2 12.9a6.2 6.2 0 0 1-2-2.7M1.8 7.6a6.2 6.2 0 0 1 1-3M4.4 2.9a6 6 0 0 1 1.4-.7',
  lost: 'M8 1.8v5.4M8 10.4v.2M2.4 13.6h11.2L8 3.4z',
};

const VERBS = {
  now: 'M1.5 8.5h3l2-5.5 3 10 2-4.5h3',
  runs: 'M2 4h1M2 8h1M2 12h1M5.5 4H14M5.5 8H14M5.5 12H14',
  jobs: 'M3 3.5h10v10H3zM3 6.5h10M5.8 1.8v3M10.2 1.8v3',
  failed: 'M8 1.8L15 14H1zM8 6.2v3.6M8 11.8v.2',
  workers: 'M2 3h12v4H2zM2 9.5h12v4H2zM4.5 5h.2M4.5 11.5h.2',
  search: 'M7 2.2a4.8 4.8 0 1 0 0 9.6A4.8 4.8 0 0 0 7 2.2M10.5 10.5L14 14',
  close: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.3V2.5h-8v8h2.8',
  check: 'M2.8 8.6l3.4 3.4 7-8',
  pause: 'M5.5 3v10M10.5 3v10',
  play: 'M5 3.2v9.6L12.6 8z',
  trash: 'M2.5 4.5h11M6 4.300V2.500h4v1.800M4 4.500l.6 9h6.800l.6-9M6.700 7v4M9.300 7v4',
  stop: 'M3.5 3.5h9v9h-9z',
  retry: 'M13.2 8a5.2 5.2 0 1 1-1.6-3.7M13.4 1.8v3.4H10',
  settings: 'M2 4.5h7M12 4.5h2M9 2.8v3.4h3V2.8zM2 11.5h2M7 11.5h7M4 9.8v3.4h3V9.8z',
  user: 'M8 2a2.8 2.8 0 1 0 0 5.6A2.8 2.8 0 0 0 8 2M2.5 14c.4-3 2.6-4.5 5.5-4.5s5.1 1.5 5.5 4.5',
  globe:
    'M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8M1.8 8h12.4M8 1.800c2.4 2 2.4 10.4 0 12.400M8 1.800c-2.4 2-2.4 10.4 0 12.4',
  more: 'M3 8h.2M8 8h.2M13 8h.2',
  down: 'M3.5 6l4.5 4.500L12.5 6',
  filter: 'M2 3h12L9.5 8.500V13l-3-1.500v-3z',
  warning: 'M8 1.800L15 14H1zM8 6.200v3.600M8 11.800v.2',
  empty: 'M2 9.500h3.500l1 2h3l1-2H14M2 9.500L4 3h8l2 6.500v4H2z',
  download: 'M8 2v8M4.5 7L8 10.5 11.5 7M2.5 13.500h11',
} as const;

export type Verb = keyof typeof VERBS;

function Path({ d, size, className }: { d: string; size: number; className?: string | undefined }) {
  return (
    <svg
      viewBox="0 0 16 16"
      width={size}
      height={size}
      className={className}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={d} />
    </svg>
  );
}

export function Icon({ name, size = 16, className }: { name: Verb; size?: number; className?: string }) {
  return <Path d={VERBS[name]} size={size} className={className} />;
}

export function StateIcon({ state, size = 14 }: { state: string; size?: number }) {
  const d = STATES[state] ?? STATES.lost ?? '';
  return <Path d={d} size={size} className={state === 'running' ? 'filled' : undefined} />;
}
