import { useTranslations } from 'use-intl';
import { usePrefs } from '../prefs.ts';
import { useServerNow } from './clock.ts';
import { agoText, durationText, instantText, offsetText, type Precision } from './format.ts';
import { localZone, useZone } from './zone.ts';

interface TimeProps {
  /** Milliseconds since 1970; 0: never. */
  ms: number;
  jobZone?: string | undefined;
  precision?: Precision;
  /** With its offset behind it. */
  withZone?: boolean;
}

/** An instant in the zone that was chosen; in three zones and in ISO where one points at it. */
export function Time({ ms, jobZone, precision = 'second', withZone = false }: TimeProps) {
  const { locale } = usePrefs();
  const zone = useZone(jobZone);
  const t = useTranslations('common');
  const now = useServerNow();
  if (ms === 0) return <span className="faint">{t('none')}</span>;
  // The year is said where it is another one.
  const withYear = now !== undefined && new Date(ms).getUTCFullYear() !== new Date(now).getUTCFullYear();
  const zones = [...new Set([zone, 'UTC', localZone(), ...(jobZone ? [jobZone] : [])])];
  const all = zones.map(
    (one) => `${instantText(ms, one, locale, 'millisecond', true)} ${one} (${offsetText(ms, one)})`,
  );
  const iso = new Date(ms).toISOString();
  return (
    <time dateTime={iso} title={[...all, iso].join('\n')} className="num">
      {instantText(ms, zone, locale, precision, withYear)}
      {withZone && <span className="faint"> {offsetText(ms, zone)}</span>}
    </time>
  );
}

/** How long ago something was, by the clock of the cluster; nothing while that is not known. */
export function Age({ ms }: { ms: number }) {
  const { locale } = usePrefs();
  const now = useServerNow();
  if (ms === 0 || now === undefined) return null;
  return <span className="num">{agoText(ms, now, locale)}</span>;
}

/** A duration between two instants of the cluster; up to now where it is still under way. */
export function Took({ from, to }: { from: number; to: number }) {
  const { locale } = usePrefs();
  const now = useServerNow();
  const end = to === 0 ? now : to;
  if (from === 0 || end === undefined) return <span className="faint">–</span>;
  return <span className="num">{durationText(end - from, locale)}</span>;
}
