// What a screen shows of something that is asked for: a skeleton after a moment, what was refused, nothing, what is old, or what it is.
import type { ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import { usePrefs } from '../prefs.ts';
import { timeText } from '../time/format.ts';
import { useZone } from '../time/zone.ts';
import { Icon } from './icons.tsx';
import { ProblemBox } from './Problem.tsx';

interface Asked<T> {
  data: T | undefined;
  error: unknown;
  dataUpdatedAt: number;
  refetch: () => unknown;
}

interface LoadedProps<T> {
  of: Asked<T>;
  skeleton: ReactNode;
  children: (data: T) => ReactNode;
}

export function Loaded<T>({ of, skeleton, children }: LoadedProps<T>) {
  if (of.data === undefined) {
    return of.error === null || of.error === undefined ? (
      skeleton
    ) : (
      <ProblemBox error={of.error} again={() => of.refetch()} />
    );
  }
  const isStale = of.error !== null && of.error !== undefined;
  return (
    <>
      {isStale && <Stale since={of.dataUpdatedAt} again={() => of.refetch()} />}
      <div className={isStale ? 'is-stale' : 'is-fresh'}>{children(of.data)}</div>
    </>
  );
}

/** Says that what is on the screen is old. */
function Stale({ since, again }: { since: number; again: () => void }) {
  const t = useTranslations('common');
  const { locale } = usePrefs();
  const zone = useZone();
  return (
    <p className="stale" role="status">
      <Icon name="warning" />
      <span>{t('stale', { time: timeText(since, zone, locale) })}</span>
      <button type="button" className="button small" onClick={again}>
        {t('retry')}
      </button>
    </p>
  );
}

/** Lines in the shape of what will be there; they are seen after a moment only. */
export function Skeleton({ lines = 6, height = 20 }: { lines?: number; height?: number }) {
  const t = useTranslations('common');
  return (
    <div className="skeleton" role="status" aria-label={t('loading')}>
      {Array.from({ length: lines }, (_, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines of a skeleton have no names
        <div key={at} style={{ height, width: `${92 - ((at * 17) % 40)}%` }} />
      ))}
    </div>
  );
}

/** Nothing is there, why, and what to do. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <Icon name="empty" size={28} />
      <p className="empty-title">{title}</p>
      {children}
    </div>
  );
}
