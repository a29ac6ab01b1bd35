import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useRef } from 'react';
import { useTranslations } from 'use-intl';
import { answered, api } from '../../api/client.ts';
import { pathName } from '../../api/names.ts';
import { useTopic } from '../../live/use.ts';
import { Age } from '../../time/Time.tsx';
import { Empty, Loaded, Skeleton } from '../../ui/Loaded.tsx';
import { StateBadge } from '../../ui/State.tsx';
import { visible } from '../../ui/text.ts';

const BAD = ['failed', 'timed_out', 'expired'] as const;
const SHOWN = 8;
/** Failures that come together are asked for together. */
const GATHER_MS = 1_000;

export function Failures() {
  const t = useTranslations('now');
  const queries = useQueryClient();
  const gathering = useRef(false);
  const failed = useQuery({
    queryKey: ['now', 'failures'],
    queryFn: ({ signal }) =>
      answered(api.GET('/runs', { params: { query: { state: [...BAD], order: 'ended', page_size: SHOWN } }, signal })),
    refetchInterval: 30_000,
  });
  useTopic('failures', (event) => {
    if (event === undefined || gathering.current) return;
    gathering.current = true;
    setTimeout(() => {
      gathering.current = false;
      void queries.invalidateQueries({ queryKey: ['now', 'failures'] });
    }, GATHER_MS);
  });
  return (
    <section className="panel" aria-labelledby="now-failures">
      <div className="page-head">
        <h2 id="now-failures">{t('failures')}</h2>
        <Link to="/runs" search={{ state: [...BAD], order: 'ended' }}>
          {t('failuresAll')}
        </Link>
      </div>
      <Loaded of={failed} skeleton={<Skeleton lines={5} />}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title={t('failuresNone')} />
          ) : (
            <ol className="short-list">
              {items.map((run) => (
                <li key={run.id}>
                  <Link to="/runs/$run" params={{ run: pathName(run.id) }} className="short-row">
                    <StateBadge state={run.state} />
                    <span className="short-main">
                      <span className="mono">{run.job || run.handler || run.id}</span>
                      <span className="faint untrusted one-line">{visible(run.error)}</span>
                    </span>
                    <span className="faint small">
                      <Age ms={run.ended_ms} />
                    </span>
                  </Link>
                </li>
              ))}
            </ol>
          )
        }
      </Loaded>
    </section>
  );
}
