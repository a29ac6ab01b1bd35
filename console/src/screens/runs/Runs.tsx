// The runs of all partitions: filters are in the address, pages follow one another, and the list says how far it reaches.
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import type { components } from '../../api/schema';
import { useTopic } from '../../live/use.ts';
import { usePrefs } from '../../prefs.ts';
import { stringifySearch } from '../../search.ts';
import { useTitle } from '../../shell/title.ts';
import { Time } from '../../time/Time.tsx';
import { CopyAs, CopyButton } from '../../ui/Copy.tsx';
import { cli, curl } from '../../ui/command.ts';
import { Empty, Loaded, Skeleton } from '../../ui/Loaded.tsx';
import { numberText } from '../../ui/text.ts';
import { Filters, Tools } from './Filters.tsx';
import { filters, type RunsSearch, WORDS } from './search.ts';
import { Table } from './Table.tsx';
import { lookedOf, type RunPage, rowsOf, useRuns } from './useRuns.ts';
import './runs.css';

type EndedRun = components['schemas']['EndedRun'];

/** Whether a run that ended just now would be in the list, as far as its record tells. */
function isIn(search: RunsSearch, run: EndedRun): boolean {
  if (search.order === 'due') return false;
  if (search.state !== undefined && !search.state.some((state) => state === run.state)) return false;
  return (['job', 'group', 'handler', 'worker'] as const).every(
    (key) => search[key] === undefined || search[key] === run[key],
  );
}

/** The same list on a terminal. */
function commandOf(search: RunsSearch): string {
  const words = ['run', 'list'];
  if (search.state !== undefined) words.push('--state', search.state.join(','));
  if (search.order !== undefined) words.push('--order', search.order);
  for (const key of WORDS) if (search[key] !== undefined) words.push(`--${key.replace('_', '-')}`, search[key]);
  return cli(...words);
}

export function Runs() {
  const t = useTranslations('runs');
  const search = useSearch({ from: '/shell/runs' });
  const navigate = useNavigate({ from: '/runs' });
  const { live } = usePrefs();
  const [fresh, setFresh] = useState(0);
  const [isOpen, setOpen] = useState(false);
  useTitle(t('title'));
  const { pages, goesOn } = useRuns(search, live);
  useTopic('runs', (event) => {
    if (event?.event !== 'runs' || pages.data === undefined || pages.data.pages.length === 1) return;
    const { runs } = JSON.parse(event.data) as { runs: EndedRun[] };
    const more = runs.filter((run) => isIn(search, run)).length;
    if (more > 0) setFresh((count) => count + more);
  });
  const show = (next: RunsSearch) => {
    setFresh(0);
    void navigate({ search: next });
  };
  return (
    <div className="page runs">
      <div className="page-head">
        <h1>{t('title')}</h1>
        <div className="run-tools">
          <Tools search={search} onChange={show} isOpen={isOpen} onOpen={setOpen} />
          <CopyAs cli={commandOf(search)} curl={curl(`/runs${stringifySearch({ ...search })}`)} />
        </div>
      </div>
      <Filters search={search} onChange={show} isOpen={isOpen} onOpen={setOpen} />
      {fresh > 0 && (
        <button
          type="button"
          className="fresh"
          onClick={() => {
            setFresh(0);
            void pages.refetch();
          }}
        >
          {t('fresh', { count: fresh })}
        </button>
      )}
      <Loaded of={pages} skeleton={<Skeleton lines={12} height={28} />}>
        {(data) => {
          const rows = rowsOf(data.pages);
          return (
            <>
              {rows.length > 0 && <Table rows={rows} />}
              {rows.length === 0 && !goesOn && !pages.hasNextPage && <Nothing isFiltered={filters(search) > 0} />}
              <Foot pages={data.pages} count={rows.length} />
              <p className="actions">
                {pages.hasNextPage && (
                  <button
                    type="button"
                    className="button"
                    disabled={pages.isFetchingNextPage}
                    onClick={() => void pages.fetchNextPage()}
                  >
                    {pages.isFetchingNextPage ? t('searching') : rows.length === 0 ? t('further') : t('moreRows')}
                  </button>
                )}
              </p>
            </>
          );
        }}
      </Loaded>
    </div>
  );
}

function Nothing({ isFiltered }: { isFiltered: boolean }) {
  const t = useTranslations('runs');
  const tried = cli('submit', 'echo', '--body', '{"hello": "world"}');
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
        <code>{tried}</code>
        <CopyButton text={tried} />
      </p>
    </Empty>
  );
}

/** How much was looked at, and since when the list is complete. */
function Foot({ pages, count }: { pages: readonly RunPage[]; count: number }) {
  const t = useTranslations('runs');
  const { locale } = usePrefs();
  const { entries, of, since, why } = lookedOf(pages);
  const unreadable = pages.reduce((sum, page) => sum + page.unreadable, 0);
  return (
    <div className="foot faint small" role="status">
      <p>
        {t('shown', { count })} · {t('looked', { entries: numberText(entries, locale), of: numberText(of, locale) })}
      </p>
      {since > 0 && <p>{t.rich('horizon', { at: () => <Time ms={since} withZone />, reason: why })}</p>}
      {unreadable > 0 && <p className="wrong">{t('unreadable', { count: unreadable })}</p>}
    </div>
  );
}
