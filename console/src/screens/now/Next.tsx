// What comes next: runs that have a time, and jobs that are due, by the times that the server says.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { answered, api } from '../../api/client.ts';
import { pathName } from '../../api/names.ts';
import { useServerNow } from '../../time/clock.ts';
import { Age, Time } from '../../time/Time.tsx';
import { CopyButton } from '../../ui/Copy.tsx';
import { Empty, Loaded, Skeleton } from '../../ui/Loaded.tsx';
import { StateBadge } from '../../ui/State.tsx';

const SHOWN = 8;
const JOBS_LOOKED_AT = 100;
const TRY = `tickwheel submit noop --delay 1m`;

interface Due {
  key: string;
  at: number;
  name: string;
  state: string;
  /** The run; absent: it is a job that makes one. */
  run?: string;
}

async function upcoming(signal: AbortSignal): Promise<{ dues: Due[]; isPart: boolean }> {
  const [jobs, runs] = await Promise.all([
    answered(api.GET('/jobs', { params: { query: { page_size: JOBS_LOOKED_AT } }, signal })),
    answered(
      api.GET('/runs', {
        params: { query: { order: 'due', state: ['scheduled', 'retrying'], page_size: SHOWN } },
        signal,
      }),
    ),
  ]);
  const dues: Due[] = [];
  for (const job of jobs.items) {
    if (job.next_due_ms) dues.push({ key: job.name, at: job.next_due_ms, name: job.name, state: 'scheduled' });
  }
  for (const run of runs.items) {
    const at = run.state === 'retrying' ? run.next_attempt_ms : run.due_ms;
    dues.push({ key: run.id, at, name: run.job || run.handler, state: run.state, run: run.id });
  }
  dues.sort((a, b) => a.at - b.at);
  return { dues, isPart: jobs.next_cursor !== '' };
}

export function Next() {
  const t = useTranslations('now');
  const next = useQuery({
    queryKey: ['now', 'next'],
    queryFn: ({ signal }) => upcoming(signal),
    refetchInterval: 2_000,
  });
  const now = useServerNow();
  // What is over by now has begun: it is no longer what comes.
  const ahead = (dues: Due[]) => dues.filter(({ at }) => now === undefined || at >= now).slice(0, SHOWN);
  return (
    <section className="panel" aria-labelledby="now-next">
      <div className="page-head">
        <h2 id="now-next">{t('next')}</h2>
        <Link to="/runs" search={{ order: 'due' }}>
          {t('nextAll')}
        </Link>
      </div>
      <Loaded of={next} skeleton={<Skeleton lines={5} />}>
        {({ dues, isPart }) => (
          <>
            {dues.length === 0 ? (
              <Empty title={t('nextNone')}>
                <p>{t('nextNoneHint')}</p>
                <p className="command">
                  <code>{TRY}</code>
                  <CopyButton text={TRY} />
                </p>
              </Empty>
            ) : (
              <ol className="short-list">
                {ahead(dues).map(({ key, at, name, state, run }) => {
                  const inside = (
                    <>
                      <Time ms={at} />
                      <span className="short-main">
                        <span className="mono">{name}</span>
                        <span className="faint">{run === undefined ? t('job') : <StateBadge state={state} />}</span>
                      </span>
                      <span className="faint small">
                        <Age ms={at} />
                      </span>
                    </>
                  );
                  return (
                    <li key={key}>
                      {run === undefined ? (
                        <Link to="/jobs/$job" params={{ job: pathName(name) }} className="short-row due">
                          {inside}
                        </Link>
                      ) : (
                        <Link to="/runs/$run" params={{ run: pathName(run) }} className="short-row due">
                          {inside}
                        </Link>
                      )}
                    </li>
                  );
                })}
              </ol>
            )}
            {isPart && <p className="faint small">{t('nextPartly', { count: JOBS_LOOKED_AT })}</p>}
          </>
        )}
      </Loaded>
    </section>
  );
}
