import { Link, type LinkProps } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import type { components } from '../../api/schema';
import { usePrefs } from '../../prefs.ts';
import { bytesText, durationText } from '../../time/format.ts';
import { numberText } from '../../ui/text.ts';

type Totals = components['schemas']['Totals'];
type GroupNumbers = components['schemas']['GroupNumbers'];

/** Later than this is worth a colour: a turn of the wheel takes a few milliseconds. */
const LATE_MS = 1_000;

interface TileProps {
  title: string;
  value: string;
  tone?: string;
  to?: LinkProps;
  children?: ReactNode;
}

function Tile({ title, value, tone, to, children }: TileProps) {
  const inside = (
    <>
      <span className="tile-title">{title}</span>
      <strong className={`tile-value num${tone === undefined ? '' : ` ink-${tone}`}`}>{value}</strong>
      <span className="tile-more">{children}</span>
    </>
  );
  return (
    <li>
      {to === undefined ? (
        <div className="tile">{inside}</div>
      ) : (
        <Link {...to} className="tile">
          {inside}
        </Link>
      )}
    </li>
  );
}

export function Tiles({ totals, groups }: { totals: Totals; groups: GroupNumbers[] }) {
  const t = useTranslations('now');
  const { locale } = usePrefs();
  const text = (amount: number) => numberText(amount, locale);
  const permits = groups.reduce((sum, group) => sum + group.permits, 0);
  const { succeeded, failed, timed_out, cancelled, expired, estimated } = totals.ended;
  const bad = failed + timed_out + expired;
  const isLate = totals.overdue > 0 && totals.lag_ms > LATE_MS;
  const runs = (search: object) => ({ to: '/runs', search }) as LinkProps;
  return (
    <ul className="tiles">
      <Tile
        title={t('running')}
        value={text(totals.running)}
        {...(totals.running > 0 ? { tone: 'running' } : {})}
        to={runs({ state: ['running'] })}
      >
        {permits === 0 ? t('noPermits') : t('ofPermits', { permits: text(permits) })}
      </Tile>
      <Tile title={t('waiting')} value={text(totals.ready)} to={runs({ state: ['ready'] })}>
        {totals.ready === 0 ? t('waitingNone') : t('waitingSome')}
      </Tile>
      <Tile title={t('ended')} value={text(succeeded + bad + cancelled)} to={runs({ order: 'ended' })}>
        <span className={bad > 0 ? 'ink-bad' : undefined}>{t('endedFailed', { count: bad })}</span>
        {estimated && ` · ${t('estimated')}`}
      </Tile>
      <Tile
        title={t('dead')}
        value={text(totals.dead)}
        {...(totals.dead > 0 ? { tone: 'bad' } : {})}
        to={runs({ state: ['failed', 'timed_out', 'expired'], order: 'ended' })}
      >
        {totals.dead > 0 ? t('deadHint') : t('deadNone')}
      </Tile>
      <Tile title={t('scheduled')} value={text(totals.scheduled)} to={runs({ order: 'due' })}>
        <span className={isLate ? 'ink-late' : undefined}>
          {isLate
            ? `${t('overdue', { count: totals.overdue })} · ${t('lag', { lag: durationText(totals.lag_ms, locale) })}`
            : t('onTime')}
        </span>
      </Tile>
      <Tile title={t('store')} value={bytesText(totals.redis_memory_bytes, locale)}>
        {totals.redis_memory_max_bytes > 0 && `/ ${bytesText(totals.redis_memory_max_bytes, locale)} · `}
        {t('trackers', { count: totals.trackers })}
      </Tile>
    </ul>
  );
}
