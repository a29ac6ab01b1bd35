// What a job's document says of it, as far as a list shows it. A document is taken as it comes: what has another shape is not shown.
import { knownZone } from '../../shell/ZoneDialog.tsx';

export type Trigger =
  | { kind: 'cron'; text: string; zone: string }
  | { kind: 'every' | 'delay' | 'once'; text: string }
  | { kind: 'after'; text: string; on: string }
  | { kind: 'manual' }
  | { kind: 'other'; text: string };

type Fields = Record<string, unknown>;

const fields = (value: unknown): Fields =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Fields) : {};
const text = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');

/** When a job is due, as its document says. */
export function triggerOf(spec: unknown): Trigger {
  const { trigger } = fields(spec);
  const { cron, fixed_rate: rate, fixed_delay: delay, once, after, time_zone: zone } = fields(trigger);
  if (text(cron) !== '') return { kind: 'cron', text: text(cron), zone: text(zone) || 'UTC' };
  const every = text(rate) || text(fields(rate).every);
  if (every !== '') return { kind: 'every', text: every };
  if (text(delay) !== '') return { kind: 'delay', text: text(delay) };
  if (text(once) !== '') return { kind: 'once', text: text(once) };
  const before = text(after) || text(fields(after).job);
  if (before !== '') return { kind: 'after', text: before, on: text(fields(after).on) || 'succeeded' };
  if (trigger === 'manual' || 'manual' in fields(trigger)) return { kind: 'manual' };
  return { kind: 'other', text: trigger === undefined ? '' : JSON.stringify(trigger) };
}

/** The zone in which its times are meant; undefined: UTC. */
export function zoneOfSpec(spec: unknown): string | undefined {
  const trigger = triggerOf(spec);
  return trigger.kind === 'cron' ? knownZone(trigger.zone) : undefined;
}

export function descriptionOf(spec: unknown): string {
  return text(fields(spec).description);
}

/** Labels as they are filtered by: `team=billing`. */
export function labelsOf(spec: unknown): string[] {
  return Object.entries(fields(fields(spec).labels)).map(([name, value]) =>
    text(value) === '' ? name : `${name}=${text(value)}`,
  );
}
