import { useTranslations } from 'use-intl';
import { Time, Took } from '../../time/Time.tsx';
import { Empty } from '../../ui/Loaded.tsx';
import { StateBadge } from '../../ui/State.tsx';
import { visible } from '../../ui/text.ts';
import type { Run } from './RunPage.tsx';

export function Attempts({ run, jobZone }: { run: Run; jobZone: string | undefined }) {
  const t = useTranslations('run');
  if (run.attempts.length === 0) return <Empty title={t('attemptsNone')} />;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keys
    <div className="scrolls" role="region" aria-label={t('attempts')} tabIndex={0}>
      <table className="grid attempts">
        <thead>
          <tr>
            <th scope="col">{t('columnAttempt')}</th>
            <th scope="col">{t('columnOutcome')}</th>
            <th scope="col">{t('columnWorker')}</th>
            <th scope="col">{t('columnStarted')}</th>
            <th scope="col">{t('columnTook')}</th>
            <th scope="col">{t('columnError')}</th>
          </tr>
        </thead>
        <tbody>
          {run.attempts.map((one) => (
            <tr key={`${one.attempt} ${one.ended_ms}`}>
              <th scope="row" className="num">
                {one.attempt}
              </th>
              <td>
                <StateBadge state={one.outcome} />
              </td>
              <td className="mono">{one.worker || <span className="faint">{t('never')}</span>}</td>
              <td>
                <Time ms={one.claimed_ms} jobZone={jobZone} precision="millisecond" />
              </td>
              <td>{one.claimed_ms > 0 ? <Took from={one.claimed_ms} to={one.ended_ms} /> : '–'}</td>
              <td className="untrusted">
                {one.error_type !== '' && <strong>{visible(one.error_type)}: </strong>}
                {visible(one.error)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
