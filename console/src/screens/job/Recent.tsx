// The newest runs of a job: those that are under way, then those that ended last.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { answered, api } from '../../api/client.ts';
import { pathName } from '../../api/names.ts';
import { usePrefs } from '../../prefs.ts';
import { Time, Took } from '../../time/Time.tsx';
import { Empty, Loaded, Skeleton } from '../../ui/Loaded.tsx';
import { StateBadge } from '../../ui/State.tsx';
import { visible } from '../../ui/text.ts';

const SHOWN = 20;
const ASK_EVERY_MS = 3_000;

export function Recent({ name, jobZone }: { name: string; jobZone: string | undefined }) {
  const t = useTranslations('job');
  const { live } = usePrefs();
  const runs = useQuery({
    queryKey: ['job', name, 'runs'],
    queryFn: ({ signal }) => answered(api.GET('/runs', { params: { query: { job: name, page_size: SHOWN } }, signal })),
    refetchInterval: live ? ASK_EVERY_MS : false,
  });
  return (
    <Loaded of={runs} skeleton={<Skeleton lines={6} />}>
      {({ items }) =>
        items.length === 0 ? (
          <Empty title={t('runsNone')}>
            <p>{t('runsNoneHint')}</p>
          </Empty>
        ) : (
          <>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keys */}
            <div className="scrolls" role="region" aria-label={t('runs')} tabIndex={0}>
              <table className="grid recent">
                <thead>
                  <tr>
                    <th scope="col">{t('columnState')}</th>
                    <th scope="col">{t('columnDue')}</th>
                    <th scope="col" className="end">
                      {t('columnTook')}
                    </th>
                    <th scope="col" className="end">
                      {t('columnAttempt')}
                    </th>
                    <th scope="col">{t('columnError')}</th>
                  </tr>
                </thead>
                <tbody>
                  {items.map((run) => (
                    <tr key={run.id}>
                      <td>
                        <StateBadge state={run.state} />
                      </td>
                      <th scope="row">
                        <Link to="/runs/$run" params={{ run: pathName(run.id) }} title={run.id}>
                          <Time ms={run.due_ms} jobZone={jobZone} precision="millisecond" />
                        </Link>
                      </th>
                      <td className="end">
                        <Took from={run.claimed_ms} to={run.ended_ms} />
                      </td>
                      <td className="end num">{run.attempt || '–'}</td>
                      <td className="untrusted recent-error">{visible(run.error || run.waiting_reason)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
            <p className="actions">
              <Link to="/runs" search={{ job: name }}>
                {t('runsAll')}
              </Link>
            </p>
          </>
        )
      }
    </Loaded>
  );
}
