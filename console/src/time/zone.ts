import { usePrefs } from '../prefs.ts';

/** The zone of this browser. */
export function localZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** The zone that a choice stands for. Where a job is not known, or has no zone, `job` is UTC. */
export function zoneOf(choice: string, jobZone?: string): string {
  if (choice === 'utc') return 'UTC';
  if (choice === 'local') return localZone();
  if (choice === 'job') return jobZone ?? 'UTC';
  return choice;
}

export function useZone(jobZone?: string): string {
  return zoneOf(usePrefs().zone, jobZone);
}

/** The order in which the key `z` goes through them. */
export function nextZone(choice: string): string {
  const order = ['job', 'utc', 'local'];
  return order[(order.indexOf(choice) + 1) % order.length] ?? 'utc';
}
