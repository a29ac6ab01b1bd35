// One job: when it is due, what became of each due time and why, how late and long it runs, its runs, its document.
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { useTranslations } from 'use-intl';
import { answered, api } from '../../api/client.ts';
import { nameOfPath } from '../../api/names.ts';
import { asProblem } from '../../api/problem.ts';
import { usePrefs } from '../../prefs.ts';
import { useTitle } from '../../shell/title.ts';
import { Loaded, Skeleton } from '../../ui/Loaded.tsx';
import { visible } from '../../ui/text.ts';
import { type Deed, DeedDialog } from '../jobs/Dialogs.tsx';
import { zoneOfSpec } from '../jobs/spec.ts';
import type { Job } from '../jobs/useJobs.ts';
import type { JobStats } from './cells.ts';
import { Definition } from './Definition.tsx';
import { Header } from './Header.tsx';
import { Ledger } from './Ledger.tsx';
import { Numbers } from './Numbers.tsx';
import { Recent } from './Recent.tsx';
import { TABS, type Tab } from './search.ts';
import './job.css';

const ASK_EVERY_MS = 3_000;
/** All of a ledger is counted: that is asked for less often. */
const COUNT_EVERY_MS = 10_000;

const isGone = (error: unknown) => error !== null && asProblem(error).status === 404;

export function JobPage() {
  const name = nameOfPath(useParams({ from: '/shell/jobs/$job' }).job);
  const navigate = useNavigate();
  const { live } = usePrefs();
  const [asked, setAsked] = useState<{ job: Job; deed: Deed } | undefined>();
  useTitle(name);
  const job = useQuery({
    queryKey: ['job', name],
    queryFn: ({ signal }) => answered(api.GET('/jobs/{job}', { params: { path: { job: name } }, signal })),
    refetchInterval: (query) => (live && !isGone(query.state.error) ? ASK_EVERY_MS : false),
    retry: (count, error) => !isGone(error) && count < 2,
  });
  return (
    <>
      {isGone(job.error) ? (
        <Gone name={name} />
      ) : (
        <div className="page job">
          <Loaded of={job} skeleton={<Skeleton lines={12} height={26} />}>
            {(data) => <Shown job={data} onAsk={(deed) => setAsked({ job: data, deed })} />}
          </Loaded>
        </div>
      )}
      {asked !== undefined && (
        <DeedDialog {...asked} onClose={() => setAsked(undefined)} onDeleted={() => void navigate({ to: '/jobs' })} />
      )}
    </>
  );
}

function Gone({ name }: { name: string }) {
  const t = useTranslations('job');
  return (
    <div className="page lone">
      <h1>{t('gone')}</h1>
      <p className="mono untrusted">{visible(name)}</p>
      <p className="faint">{t('goneHint')}</p>
      <Link to="/jobs" className="button primary">
        {t('toJobs')}
      </Link>
    </div>
  );
}

function Shown({ job, onAsk }: { job: Job; onAsk: (deed: Deed) => void }) {
  const zone = zoneOfSpec(job.spec);
  return (
    <>
      <Header job={job} jobZone={zone} onAsk={onAsk} />
      <Tabs job={job} jobZone={zone} />
    </>
  );
}

function Counted({ name, children }: { name: string; children: (stats: JobStats) => ReactNode }) {
  const { live } = usePrefs();
  const stats = useQuery({
    queryKey: ['job', name, 'stats'],
    queryFn: ({ signal }) => answered(api.GET('/jobs/{job}/stats', { params: { path: { job: name } }, signal })),
    refetchInterval: live ? COUNT_EVERY_MS : false,
  });
  return (
    <Loaded of={stats} skeleton={<Skeleton lines={6} />}>
      {children}
    </Loaded>
  );
}

function Tabs({ job, jobZone }: { job: Job; jobZone: string | undefined }) {
  const t = useTranslations('job');
  const navigate = useNavigate({ from: '/jobs/$job' });
  const { tab = 'ledger' } = useSearch({ from: '/shell/jobs/$job' });
  const show = (next: Tab) => void navigate({ search: next === 'ledger' ? {} : { tab: next }, replace: true });
  const panels = {
    ledger: () => (
      <Counted name={job.name}>{(stats) => <Ledger name={job.name} jobZone={jobZone} stats={stats} />}</Counted>
    ),
    numbers: () => <Counted name={job.name}>{(stats) => <Numbers stats={stats} jobZone={jobZone} />}</Counted>,
    runs: () => <Recent name={job.name} jobZone={jobZone} />,
    definition: () => <Definition name={job.name} revision={job.revision} />,
  };
  return (
    <section className="job-tabs">
      <div role="tablist" className="tabs" aria-label={t('parts')}>
        {TABS.map((one, at) => (
          <button
            key={one}
            id={`tab-${one}`}
            type="button"
            role="tab"
            aria-selected={one === tab}
            aria-controls="tab-panel"
            tabIndex={one === tab ? 0 : -1}
            onClick={() => show(one)}
            onKeyDown={(event) => {
              const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
              const next = step === undefined ? undefined : TABS[(at + step + TABS.length) % TABS.length];
              if (next === undefined) return;
              show(next);
              document.getElementById(`tab-${next}`)?.focus();
            }}
          >
            {t(one)}
          </button>
        ))}
      </div>
      <div role="tabpanel" id="tab-panel" aria-labelledby={`tab-${tab}`} className="panel tab-panel">
        {panels[tab]()}
      </div>
    </section>
  );
}
