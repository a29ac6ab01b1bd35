// How late a job is decided and started, and how long it runs; and how often what became of it.
import { useTranslations } from 'use-intl';
import { usePrefs } from '../../prefs.ts';
import { durationText } from '../../time/format.ts';
import { Time } from '../../time/Time.tsx';
import { numberText } from '../../ui/text.ts';
import { along, type JobStats } from './cells.ts';

const POINTS = ['least', 'p50', 'p90', 'p99', 'most'] as const;
const SPREADS = ['decided', 'started', 'ran'] as const;

export function Numbers({ stats, jobZone }: { stats: JobStats; jobZone: string | undefined }) {
  const t = useTranslations('job');
  const { locale } = usePrefs();
  const counts: [string, number][] = [
    [t('fired'), stats.fired],
    [t('skipped'), stats.skipped],
    [t('missed'), stats.missed],
    [t('cancelled'), stats.cancelled],
    [t('runsSucceeded'), stats.runs_succeeded],
    [t('runsFailed'), stats.runs_failed],
    [t('runsTimedOut'), stats.runs_timed_out],
    [t('runsExpired'), stats.runs_expired],
    [t('runsCancelled'), stats.runs_cancelled],
  ];
  const most = Math.max(1, ...SPREADS.map((key) => stats[key]?.most_ms ?? 0));
  return (
    <div className="numbers">
      <p className="faint">
        {t.rich('lookedAt', {
          from: () => <Time ms={stats.from_ms} jobZone={jobZone} withZone />,
          to: () => <Time ms={stats.to_ms} jobZone={jobZone} withZone />,
        })}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keys */}
      <div className="scrolls" role="region" aria-label={t('numbers')} tabIndex={0}>
        <table className="grid spreads">
          <thead>
            <tr>
              <th scope="col">{t('columnSpread')}</th>
              <th scope="col">{t('columnScale')}</th>
              {POINTS.map((point) => (
                <th key={point} scope="col" className="end">
                  {t(`point_${point}`)}
                </th>
              ))}
              <th scope="col" className="end">
                {t('columnCount')}
              </th>
            </tr>
          </thead>
          <tbody>
            {SPREADS.map((key) => {
              const spread = stats[key] ?? undefined;
              return (
                <tr key={key}>
                  <th scope="row">
                    {t(`spread_${key}`)}
                    <span className="faint small spread-hint">{t(`spread_${key}_hint`)}</span>
                  </th>
                  <td>
                    {spread !== undefined && (
                      <span className="scale" aria-hidden="true">
                        <span
                          className="scale-range"
                          style={{
                            insetInlineStart: `${along(spread.least_ms, most)}%`,
                            insetInlineEnd: `${100 - along(spread.most_ms, most)}%`,
                          }}
                        />
                        {(['p50', 'p99'] as const).map((point) => (
                          <span
                            key={point}
                            className={`scale-${point}`}
                            style={{ insetInlineStart: `${along(spread[`${point}_ms`], most)}%` }}
                          />
                        ))}
                      </span>
                    )}
                  </td>
                  {POINTS.map((point) => (
                    <td key={point} className="end num">
                      {spread === undefined ? '–' : durationText(spread[`${point}_ms`], locale)}
                    </td>
                  ))}
                  <td className="end num">{numberText(spread?.count ?? 0, locale)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      <p className="faint small">{t('scaleHint')}</p>
      <dl className="facts">
        {counts.map(([name, count]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="num">{numberText(count, locale)}</dd>
          </div>
        ))}
      </dl>
      {stats.unreadable > 0 && <p className="wrong small">{t('unreadable', { count: stats.unreadable })}</p>}
    </div>
  );
}
