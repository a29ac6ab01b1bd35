// One run: where it stands and why, its attempts on a line of time, what it says while it says it, and what it was given and answered.
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { answered, api } from '../../api/client.ts';
import { nameOfPath, pathName, shortened } from '../../api/names.ts';
import { asProblem } from '../../api/problem.ts';
import type { components } from '../../api/schema';
import { usePrefs } from '../../prefs.ts';
import { useKeys } from '../../shell/keys.ts';
import { useTitle } from '../../shell/title.ts';
import { CopyAs, CopyButton } from '../../ui/Copy.tsx';
import { cli, curl } from '../../ui/command.ts';
import { Empty, Loaded, Skeleton } from '../../ui/Loaded.tsx';
import { hasEnded, StateBadge } from '../../ui/State.tsx';
import { visible } from '../../ui/text.ts';
import { JobLink } from '../jobs/JobLink.tsx';
import { Actions } from './Actions.tsx';
import { Attempts } from './Attempts.tsx';
import { Facts } from './Facts.tsx';
import { Log } from './Log.tsx';
import { Exact } from './Payload.tsx';
import { TABS, type Tab } from './search.ts';
import { Timeline } from './Timeline.tsx';
import { useJobZone } from './useJobZone.ts';
import './run.css';

export type Run = components['schemas']['Run'];

/** A run that has not ended is asked for so often. */
const ASK_EVERY_MS = 2_000;

export function RunPage() {
  const t = useTranslations('run');
  const id = nameOfPath(useParams({ from: '/shell/runs/$run' }).run);
  const { live } = usePrefs();
  useTitle(t('title', { id: shortened(id) }));
  const run = useQuery({
    queryKey: ['run', id],
    queryFn: ({ signal }) => answered(api.GET('/runs/{run}', { params: { path: { run: id } }, signal })),
    refetchInterval: (query) =>
      live && query.state.data !== undefined && !hasEnded(query.state.data.state) ? ASK_EVERY_MS : false,
    retry: (count, error) => asProblem(error).status !== 404 && count < 2,
  });
  if (run.data === undefined && run.error !== null && asProblem(run.error).status === 404) return <Forgotten id={id} />;
  return (
    <div className="page run">
      <Loaded of={run} skeleton={<Heading id={id} />}>
        {(data) => <Shown run={data} />}
      </Loaded>
    </div>
  );
}

function Heading({ id }: { id: string }) {
  const t = useTranslations('run');
  return (
    <>
      <h1>{t('title', { id: shortened(id) })}</h1>
      <Skeleton lines={10} height={26} />
    </>
  );
}

function Forgotten({ id }: { id: string }) {
  const t = useTranslations('run');
  return (
    <div className="page lone">
      <h1>{t('forgotten')}</h1>
      <p className="mono untrusted">{visible(id)}</p>
      <p className="faint">{t('forgottenHint')}</p>
      <Link to="/runs" className="button primary">
        {t('toRuns')}
      </Link>
    </div>
  );
}

function Shown({ run }: { run: Run }) {
  const t = useTranslations('run');
  const zone = useJobZone(run.job);
  const explained = useQuery({
    queryKey: ['run', run.id, 'explain', run.state, run.attempt, run.waiting_reason],
    queryFn: ({ signal }) => answered(api.GET('/runs/{run}/explain', { params: { path: { run: run.id } }, signal })),
    placeholderData: (before) => before,
  });
  return (
    <>
      <div className="page-head run-top">
        <div className="titled run-title">
          <StateBadge state={run.state} large />
          <div>
            <h1>
              {run.job === '' ? `${t('alone')} · ${run.handler}` : <JobLink name={run.job} className="untrusted" />}
            </h1>
            <p className="faint mono run-whole-id">
              <span className="untrusted">{run.id}</span>
              <CopyButton text={run.id} />
            </p>
          </div>
        </div>
        <div className="actions">
          <Actions run={run} />
          <CopyAs cli={cli('run', 'get', run.id)} curl={curl(`/runs/${pathName(run.id)}`)} />
        </div>
      </div>
      <section className="panel run-story" aria-labelledby="run-why">
        <h2 id="run-why" className="sr-only">
          {t('why')}
        </h2>
        <p className="why untrusted" lang="en">
          {visible(explained.data?.text ?? run.waiting_reason)}
        </p>
        {run.error !== '' && (
          <p className="run-error untrusted">
            {run.error_type !== '' && <strong>{visible(run.error_type)}: </strong>}
            {visible(run.error)}
          </p>
        )}
        <Progress run={run} />
        <Timeline run={run} jobZone={zone} />
      </section>
      <Facts run={run} jobZone={zone} />
      <Tabs run={run} jobZone={zone} />
    </>
  );
}

function Progress({ run }: { run: Run }) {
  const t = useTranslations('run');
  const { progress_percent: percent, progress_message: message, fan } = run;
  const isShown = !hasEnded(run.state) && (percent > 0 || message !== '');
  return (
    <>
      {isShown && (
        <div className="progress">
          <progress max={100} value={percent} aria-label={t('progress')} />
          <span className="num">
            {percent} % <span className="untrusted">{visible(message)}</span>
          </span>
        </div>
      )}
      {fan && (
        <div className="progress">
          <progress max={100} value={fan.percent} aria-label={t('subtasks')} />
          <span className="num">
            {t('subtasksText', {
              done: fan.succeeded + fan.failed,
              total: fan.total,
              running: fan.running,
              waiting: fan.waiting,
              failed: fan.failed,
            })}
          </span>
        </div>
      )}
    </>
  );
}

function Tabs({ run, jobZone }: { run: Run; jobZone: string | undefined }) {
  const t = useTranslations('run');
  const navigate = useNavigate({ from: '/runs/$run' });
  const { tab = 'log' } = useSearch({ from: '/shell/runs/$run' });
  const show = (next: Tab) => void navigate({ search: next === 'log' ? {} : { tab: next }, replace: true });
  useKeys({ l: () => show('log') });
  const panels = {
    log: () => <Log run={run} jobZone={jobZone} />,
    payload: () => (
      <Exact text={run.body_text} base64={run.body_base64} dropped={run.body_dropped} file={`${run.id}-payload`}>
        <Empty title={t('payloadNone')}>
          <p>{run.state === 'succeeded' ? t('payloadGone') : t('payloadHidden')}</p>
        </Empty>
      </Exact>
    ),
    result: () => (
      <Exact text={run.result_text} base64={run.result_base64} dropped={0} file={`${run.id}-result`}>
        <Empty title={t('resultNone')}>
          <p>
            {!hasEnded(run.state)
              ? t('resultNotYet')
              : run.state === 'succeeded'
                ? t('payloadHidden')
                : t('resultOther')}
          </p>
        </Empty>
      </Exact>
    ),
    attempts: () => <Attempts run={run} jobZone={jobZone} />,
  };
  return (
    <section className="run-tabs">
      <div role="tablist" className="tabs" aria-label={t('facts')}>
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
            {one === 'attempts' && run.attempts.length > 0 && <span className="count num">{run.attempts.length}</span>}
          </button>
        ))}
      </div>
      <div role="tabpanel" id="tab-panel" aria-labelledby={`tab-${tab}`} className="panel tab-panel">
        {panels[tab]()}
      </div>
    </section>
  );
}
