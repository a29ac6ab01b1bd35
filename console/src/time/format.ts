// Instants and durations as text. Nothing here reckons with calendars: an instant is written in a zone by `Intl`, and that is all.

/** How exactly an instant is written. */
export type Precision = 'minute' | 'second' | 'millisecond';

const formats = new Map<string, Intl.DateTimeFormat>();

function format(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify([locale, options]);
  let found = formats.get(key);
  if (found === undefined) {
    found = new Intl.DateTimeFormat(locale, options);
    formats.set(key, found);
  }
  return found;
}

/** English dates are written day before month, which no reader takes for the other way round as the month is a word. */
const written = (locale: string) => (locale === 'en' ? 'en-GB' : locale);

/** An instant in a zone, without the zone. */
export function instantText(ms: number, zone: string, locale: string, precision: Precision, withYear = false): string {
  const options: Intl.DateTimeFormatOptions = {
    timeZone: zone,
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  };
  if (withYear) options.year = 'numeric';
  if (precision !== 'minute') options.second = '2-digit';
  if (precision === 'millisecond') options.fractionalSecondDigits = 3;
  // The comma between day and time, where a language has one, is no help in a list.
  return format(written(locale), options).format(ms).replace(', ', ' ');
}

/** The time of day alone. */
export function timeText(ms: number, zone: string, locale: string): string {
  return format(written(locale), {
    timeZone: zone,
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  }).format(ms);
}

/** How far a zone is from UTC at an instant: `+01:00`, `UTC`. */
export function offsetText(ms: number, zone: string): string {
  const parts = format('en', { timeZone: zone, timeZoneName: 'longOffset' }).formatToParts(ms);
  const name = parts.find((part) => part.type === 'timeZoneName')?.value ?? '';
  const offset = name.replace('GMT', '').replace('UTC', '');
  return offset === '' || offset === '+00:00' ? 'UTC' : offset;
}

const STEPS: readonly [number, Intl.NumberFormatOptions['unit']][] = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1_000, 'second'],
];

function unitText(amount: number, unit: string, locale: string, digits = 0): string {
  return new Intl.NumberFormat(locale, {
    style: 'unit',
    unit,
    unitDisplay: locale === 'en' ? 'narrow' : 'short',
    maximumFractionDigits: digits,
  }).format(amount);
}

/** A duration in at most two units: `840ms`, `3.2s`, `4m 10s`, `2d 3h`. */
export function durationText(ms: number, locale: string): string {
  if (ms < 1_000) return unitText(Math.max(0, Math.round(ms)), 'millisecond', locale);
  if (ms < 10_000) return unitText(ms / 1_000, 'second', locale, 1);
  const at = STEPS.findIndex(([step]) => ms >= step);
  const [step, unit] = STEPS[at] ?? [1_000, 'second'];
  const whole = Math.floor(ms / step);
  const first = unitText(whole, unit ?? 'second', locale);
  const next = STEPS[at + 1];
  if (next === undefined) return first;
  const rest = Math.floor((ms - whole * step) / next[0]);
  return rest === 0 ? first : `${first} ${unitText(rest, next[1] ?? 'second', locale)}`;
}

/** How long ago, or how far ahead, something is. */
export function agoText(ms: number, now: number, locale: string): string {
  const away = ms - now;
  const size = Math.abs(away);
  const [step, unit] = STEPS.find(([step]) => size >= step) ?? [1_000, 'second'];
  const relative = new Intl.RelativeTimeFormat(locale, { style: 'narrow', numeric: 'always' });
  const amount = Math.trunc(away / step);
  // Less than a second is now: `Intl` has a word for it.
  if (amount === 0) return new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(0, 'second');
  return relative.format(amount, unit as Intl.RelativeTimeFormatUnit);
}

/** Bytes in powers of 1,024. */
export function bytesText(bytes: number, locale: string): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
  let amount = bytes;
  let at = 0;
  while (amount >= 1_024 && at < units.length - 1) {
    amount /= 1_024;
    at += 1;
  }
  return new Intl.NumberFormat(locale, {
    style: 'unit',
    unit: units[at] ?? 'byte',
    unitDisplay: 'short',
    maximumFractionDigits: amount < 10 && at > 0 ? 1 : 0,
  }).format(amount);
}
