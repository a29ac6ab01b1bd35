// What became of each due time: spans of time above, the due times of one, or the newest, below, and why.
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { answered, api } from '../../api/client.ts';
import { usePrefs } from '../../prefs.ts';
import { durationText, instantText } from '../../time/format.ts';
import { useZone } from '../../time/zone.ts';
import { Icon } from '../../ui/icons.tsx';
import { Empty, Loaded, Skeleton } from '../../ui/Loaded.tsx';
import { useNarrow } from '../../ui/rows.ts';
import { isState } from '../../ui/State.tsx';
import { visible } from '../../ui/text.ts';
import { CellLook, Cells } from './Cells.tsx';
import { isVerdict, type JobStats, type LedgerRecord, lateness, lookOf, lookOfSpan, spansOf } from './cells.ts';
import { Explained } from './Explained.tsx';
import { LedgerTable } from './LedgerTable.tsx';
import type { JobSearch } from './search.ts';

const PAGE_SIZE = 200;
/** On a phone, where a row has few cells. */
const PAGE_SIZE_NARROW = 80;
const ASK_EVERY_MS = 5_000;

interface PartProps {
  name: string;
  jobZone: string | undefined;
}

interface LedgerProps extends PartProps {
  stats: JobStats;
}

/** The states of the runs that are kept, by their ids. */
function useStates(name: string, live: boolean) {
  return useQuery({
    queryKey: ['job', name, 'states'],
    queryFn: async ({ signal }) => {
      const query = { job: name, page_size: PAGE_SIZE };
      const { items } = await answered(api.GET('/runs', { params: { query }, signal }));
      return items.map(({ id, state }) => [id, state] as const);
    },
    refetchInterval: live ? ASK_EVERY_MS : false,
  });
}

function useRecords(name: string, { from, to }: JobSearch, live: boolean) {
  const limit = useNarrow() ? PAGE_SIZE_NARROW : PAGE_SIZE;
  return useInfiniteQuery({
    queryKey: ['job', name, 'ledger', from, to, limit],
    queryFn: ({ pageParam, signal }) => {
      const query: { limit: number; cursor?: string; from?: number; to?: number } = { limit };
      if (pageParam !== '') query.cursor = pageParam;
      if (from !== undefined) query.from = Number(from);
      if (to !== undefined) query.to = Number(to);
      return answered(api.GET('/jobs/{job}/ledger', { params: { path: { job: name }, query }, signal }));
    },
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor || undefined,
    refetchInterval: (query) => (live && query.state.data?.pages.length === 1 ? ASK_EVERY_MS : false),
  });
}

export function Ledger({ name, jobZone, stats }: LedgerProps) {
  const t = useTranslations('job');
  const { live } = usePrefs();
  const search = useSearch({ from: '/shell/jobs/$job' });
  const navigate = useNavigate({ from: '/jobs/$job' });
  const states = useStates(name, live);
  const records = useRecords(name, search, live);
  const known = new Map(states.data);
  const show = (next: JobSearch) => void navigate({ search: next, replace: true });
  const { at, view, ...rest } = search;
  return (
    <div className="ledger">
      <Spans stats={stats} jobZone={jobZone} />
      <div className="page-head">
        <h2>{search.from === undefined ? t('newest') : t('inSpan')}</h2>
        <span className="actions">
          {search.from !== undefined && (
            <button
              type="button"
              className="button small"
              onClick={() => show({ ...(view && { view }), ...(rest.tab && { tab: rest.tab }) })}
            >
              <Icon name="close" size={12} />
              {t('wholeTime')}
            </button>
          )}
          <button
            type="button"
            className="button small"
            aria-pressed={view === 'table'}
            onClick={() => show({ ...rest, ...(at && { at }), ...(view === undefined && { view: 'table' }) })}
          >
            {t('asTable')}
          </button>
        </span>
      </div>
      <Loaded of={records} skeleton={<Skeleton lines={4} />}>
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items);
          const unreadable = pages.reduce((sum, page) => sum + page.unreadable, 0);
          if (items.length === 0) return <Empty title={t('ledgerNone')}>{t('ledgerNoneHint')}</Empty>;
          return (
            <>
              {view === 'table' ? (
                <LedgerTable records={items} states={known} jobZone={jobZone} />
              ) : (
                <Dues records={items} states={known} jobZone={jobZone} />
              )}
              {records.hasNextPage && (
                <p className="actions">
                  <button
                    type="button"
                    className="button small"
                    disabled={records.isFetchingNextPage}
                    onClick={() => void records.fetchNextPage()}
                  >
                    {t('older')}
                  </button>
                </p>
              )}
              {unreadable > 0 && <p className="wrong small">{t('unreadable', { count: unreadable })}</p>}
            </>
          );
        }}
      </Loaded>
      {at !== undefined && (
        <Explained
          name={name}
          at={Number(at)}
          jobZone={jobZone}
          onClose={() => show({ ...rest, ...(view && { view }) })}
        />
      )}
      <Legend />
    </div>
  );
}

function Spans({ stats, jobZone }: { stats: JobStats; jobZone: string | undefined }) {
  const t = useTranslations('job');
  const { locale } = usePrefs();
  const zone = useZone(jobZone);
  const search = useSearch({ from: '/shell/jobs/$job' });
  const navigate = useNavigate({ from: '/jobs/$job' });
  const spans = spansOf(stats);
  if (spans.length < 2) return null;
  const width = durationText(stats.cell_ms, locale);
  const cells = spans.map((span) => ({
    key: span.from_ms,
    look: lookOfSpan(span),
    name: instantText(span.from_ms, zone, locale, 'second'),
    text: t('spanText', {
      width,
      fired: span.fired,
      skipped: span.skipped,
      missed: span.missed,
      cancelled: span.cancelled,
      succeeded: span.succeeded,
      failed: span.failed,
    }),
  }));
  const { at: _at, ...rest } = search;
  return (
    <section aria-labelledby="job-spans">
      <h2 id="job-spans">
        {t('spans')} <span className="faint small">{t('spanWidth', { width })}</span>
      </h2>
      <Cells
        label={t('spans')}
        cells={cells}
        open={search.from === undefined ? undefined : Number(search.from)}
        onOpen={(from) =>
          void navigate({
            search: { ...rest, from: String(from), to: String(from + stats.cell_ms) },
            replace: true,
          })
        }
      />
    </section>
  );
}

interface DuesProps {
  records: readonly LedgerRecord[];
  states: ReadonlyMap<string, string>;
  jobZone: string | undefined;
}

function Dues({ records, states, jobZone }: DuesProps) {
  const t = useTranslations('job');
  const word = useTranslations('states');
  const { locale } = usePrefs();
  const zone = useZone(jobZone);
  const search = useSearch({ from: '/shell/jobs/$job' });
  const navigate = useNavigate({ from: '/jobs/$job' });
  const textOf = (record: LedgerRecord): string => {
    const said = [isVerdict(record.verdict) ? t(record.verdict) : record.verdict];
    if (record.count > 1) said.push(t('inRow', { count: record.count }));
    const late = lateness(record);
    if (late !== undefined) said.push(t('lateBy', { late: durationText(late, locale) }));
    if (record.reason !== '') said.push(visible(record.reason));
    const state = states.get(record.run_id);
    if (state !== undefined) said.push(t('runIs', { state: isState(state) ? word(state) : state }));
    return said.join(' · ');
  };
  // The newest is the last, as time goes on.
  const cells = [...records].reverse().map((record) => ({
    key: record.due_ms,
    look: lookOf(record, states),
    name: instantText(record.due_ms, zone, locale, 'millisecond'),
    text: textOf(record),
  }));
  // A due time that was decided upon twice is one cell: the later one stands.
  const once = [...new Map(cells.map((cell) => [cell.key, cell])).values()];
  return (
    <Cells
      label={t('dues')}
      cells={once}
      open={search.at === undefined ? undefined : Number(search.at)}
      onOpen={(at) => void navigate({ search: { ...search, at: String(at) }, replace: true })}
    />
  );
}

function Legend() {
  const t = useTranslations('job');
  const word = useTranslations('states');
  const plain = { mark: '', isLate: false } as const;
  const looks = [
    [{ fill: 'fired', mark: 'succeeded', isLate: false }, word('succeeded')],
    [{ fill: 'fired', mark: 'failed', isLate: false }, word('failed')],
    [{ fill: 'fired', ...plain }, t('firedNotKept')],
    [{ fill: 'fired', mark: 'succeeded', isLate: true }, t('late')],
    [{ fill: 'skipped', ...plain }, t('skipped')],
    [{ fill: 'missed', ...plain }, t('missed')],
    [{ fill: 'cancelled', ...plain }, t('cancelled')],
    [{ fill: 'redefined', ...plain }, t('redefined')],
  ] as const;
  return (
    <ul className="legend small" aria-label={t('legend')}>
      {looks.map(([look, text]) => (
        <li key={text}>
          <CellLook look={look} /> {text}
        </li>
      ))}
    </ul>
  );
}
