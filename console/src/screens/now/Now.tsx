// How the cluster is: numbers each second, what failed lately, what comes next. Every number leads to what it counts.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslations } from 'use-intl';
import { answered, api } from '../../api/client.ts';
import type { components } from '../../api/schema';
import { useStreamStatus, useTopic } from '../../live/use.ts';
import { usePrefs } from '../../prefs.ts';
import { useTitle } from '../../shell/title.ts';
import { CopyAs } from '../../ui/Copy.tsx';
import { cli, curl } from '../../ui/command.ts';
import { Loaded, Skeleton } from '../../ui/Loaded.tsx';
import { Failures } from './Failures.tsx';
import { Groups } from './Groups.tsx';
import { Next } from './Next.tsx';
import './now.css';
import { Tiles } from './Tiles.tsx';

type Overview = components['schemas']['Overview'];

const OVERVIEW = ['overview'];
/** Without a stream it is asked for this often. */
const ASK_EVERY_MS = 5_000;

export function Now() {
  const t = useTranslations('now');
  const { live } = usePrefs();
  const queries = useQueryClient();
  const status = useStreamStatus();
  useTitle(t('title'));
  const overview = useQuery({
    queryKey: OVERVIEW,
    queryFn: ({ signal }) => answered(api.GET('/overview', { signal })),
    refetchInterval: live && status.state !== 'live' ? ASK_EVERY_MS : false,
  });
  useTopic('now', (event) => {
    if (event?.event === 'now') queries.setQueryData<Overview>(OVERVIEW, JSON.parse(event.data) as Overview);
  });
  return (
    <div className="page now">
      <div className="page-head">
        <h1>{t('title')}</h1>
        <CopyAs cli={cli('overview')} curl={curl('/overview')} />
      </div>
      <Loaded of={overview} skeleton={<Skeleton lines={3} height={64} />}>
        {(data) => (
          <div className="now-top">
            {data.totals ? <Tiles totals={data.totals} groups={data.groups} /> : <p className="faint">{t('partly')}</p>}
            {data.unreadable > 0 && <p className="wrong">{t('unreadable', { count: data.unreadable })}</p>}
            <Groups groups={data.groups} isCut={data.cut} />
          </div>
        )}
      </Loaded>
      <div className="now-lists">
        <Failures />
        <Next />
      </div>
    </div>
  );
}
