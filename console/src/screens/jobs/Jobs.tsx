// The jobs in the order of their names; filters are in the address.
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { usePrefs } from '../../prefs.ts';
import { stringifySearch } from '../../search.ts';
import { useTitle } from '../../shell/title.ts';
import { CopyAs, CopyButton } from '../../ui/Copy.tsx';
import { cli, curl } from '../../ui/command.ts';
import { Empty, Loaded, Skeleton } from '../../ui/Loaded.tsx';
import { type Deed, DeedDialog } from './Dialogs.tsx';
import { Filters } from './Filters.tsx';
import { isFiltered, type JobsSearch } from './search.ts';
import { Table } from './Table.tsx';
import { type Job, jobsOf, useJobs } from './useJobs.ts';
import './jobs.css';

/** The same list on a terminal. */
function commandOf({ prefix, label = [] }: JobsSearch): string {
  const words = ['job', 'list'];
  if (prefix !== undefined) words.push('--prefix', prefix);
  for (const one of label) words.push('--label', one);
  return cli(...words);
}

export function Jobs() {
  const t = useTranslations('jobs');
  const search = useSearch({ from: '/shell/jobs' });
  const navigate = useNavigate({ from: '/jobs' });
  const { live } = usePrefs();
  const [asked, setAsked] = useState<{ job: Job; deed: Deed } | undefined>();
  useTitle(t('title'));
  const jobs = useJobs(search, live);
  return (
    <div className="page jobs">
      <div className="page-head">
        <h1>{t('title')}</h1>
        <CopyAs cli={commandOf(search)} curl={curl(`/jobs${stringifySearch({ ...search })}`)} />
      </div>
      <Filters search={search} onChange={(next) => void navigate({ search: next })} />
      <Loaded of={jobs} skeleton={<Skeleton lines={10} height={36} />}>
        {(data) => {
          const rows = jobsOf(data.pages);
          const unreadable = data.pages.reduce((sum, page) => sum + page.unreadable, 0);
          return (
            <>
              {rows.length > 0 && <Table jobs={rows} onAsk={(job, deed) => setAsked({ job, deed })} />}
              {rows.length === 0 && !jobs.hasNextPage && <Nothing isFiltered={isFiltered(search)} />}
              <div className="faint small" role="status">
                {rows.length > 0 && <p>{t('shown', { count: rows.length })}</p>}
                {unreadable > 0 && <p className="wrong">{t('unreadable', { count: unreadable })}</p>}
              </div>
              {jobs.hasNextPage && (
                <p className="actions">
                  <button
                    type="button"
                    className="button"
                    disabled={jobs.isFetchingNextPage}
                    onClick={() => void jobs.fetchNextPage()}
                  >
                    {rows.length === 0 ? t('further') : t('moreRows')}
                  </button>
                </p>
              )}
            </>
          );
        }}
      </Loaded>
      {asked !== undefined && <DeedDialog {...asked} onClose={() => setAsked(undefined)} />}
    </div>
  );
}

const TRY = 'tickwheel apply -f deploy/examples/quickstart.yaml';

function Nothing({ isFiltered }: { isFiltered: boolean }) {
  const t = useTranslations('jobs');
  if (isFiltered) {
    return (
      <Empty title={t('noneFiltered')}>
        <p>{t('noneFilteredHint')}</p>
      </Empty>
    );
  }
  return (
    <Empty title={t('none')}>
      <p>{t('noneHint')}</p>
      <p className="command">
        <code>{TRY}</code>
        <CopyButton text={TRY} />
      </p>
    </Empty>
  );
}
