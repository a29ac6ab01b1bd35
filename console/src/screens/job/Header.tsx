// What a job is, when it is due, and what can be done to it.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import { answered, api } from '../../api/client.ts';
import { pathName } from '../../api/names.ts';
import { useMay } from '../../api/session.ts';
import { usePrefs } from '../../prefs.ts';
import { useKeys } from '../../shell/keys.ts';
import { useServerNow } from '../../time/clock.ts';
import { Age, Time } from '../../time/Time.tsx';
import { CopyAs, CopyButton } from '../../ui/Copy.tsx';
import { cli, curl } from '../../ui/command.ts';
import { Verbed } from '../../ui/Decision.tsx';
import { Loaded, Skeleton } from '../../ui/Loaded.tsx';
import { numberText, visible } from '../../ui/text.ts';
import type { Deed } from '../jobs/Dialogs.tsx';
import { JobBadge } from '../jobs/JobBadge.tsx';
import { descriptionOf, labelsOf } from '../jobs/spec.ts';
import { TriggerText } from '../jobs/TriggerText.tsx';
import type { Job } from '../jobs/useJobs.ts';

interface HeaderProps {
  job: Job;
  jobZone: string | undefined;
  onAsk: (deed: Deed) => void;
}

export function Header({ job, jobZone, onAsk }: HeaderProps) {
  const t = useTranslations('job');
  const labels = labelsOf(job.spec);
  return (
    <>
      <div className="page-head job-top">
        <div className="titled">
          <JobBadge state={job.state} large />
          <div>
            <h1 className="untrusted job-title">
              {job.name} <CopyButton text={job.name} />
            </h1>
            <p className="faint untrusted">{visible(descriptionOf(job.spec))}</p>
          </div>
        </div>
        <div className="actions">
          <Deeds job={job} onAsk={onAsk} />
          <CopyAs cli={cli('job', 'get', job.name)} curl={curl(`/jobs/${pathName(job.name)}`)} />
        </div>
      </div>
      <section className="panel job-story" aria-label={t('facts')}>
        {job.pause_note !== '' && (
          <p className="job-note">
            {t('pausedNote')} <q className="untrusted">{visible(job.pause_note)}</q>
          </p>
        )}
        <div className="job-due">
          <div>
            <h2>{t('trigger')}</h2>
            <p className="job-trigger">
              <TriggerText spec={job.spec} />
            </p>
          </div>
          <div>
            <h2>{t('next')}</h2>
            <NextDues job={job} jobZone={jobZone} />
          </div>
        </div>
        <Facts job={job} jobZone={jobZone} />
        {labels.length > 0 && (
          <ul className="job-labels" aria-label={t('labels')}>
            {labels.map((label) => (
              <li key={label}>
                <Link to="/jobs" search={{ label: [label] }} className="job-label mono untrusted">
                  {visible(label)}
                </Link>
              </li>
            ))}
          </ul>
        )}
      </section>
    </>
  );
}

function Deeds({ job, onAsk }: Omit<HeaderProps, 'jobZone'>) {
  const t = useTranslations('jobs');
  const pausing = useMay('PauseJob');
  const resuming = useMay('ResumeJob');
  const running = useMay('RunJob');
  const deleting = useMay('DeleteJob');
  const isPaused = job.state === 'paused';
  const held = isPaused ? resuming : pausing;
  const hold: Deed = isPaused ? 'resume' : 'pause';
  useKeys({
    p: () => held.may && onAsk(hold),
    t: () => running.may && onAsk('run'),
  });
  return (
    <>
      <Verbed icon="play" word={t('run')} may={running.may} why={running.why} act={() => onAsk('run')} />
      <Verbed icon={isPaused ? 'play' : 'pause'} word={t(hold)} may={held.may} why={held.why} act={() => onAsk(hold)} />
      <Verbed
        icon="trash"
        word={t('delete')}
        may={deleting.may}
        why={deleting.why}
        act={() => onAsk('delete')}
        isDanger
      />
    </>
  );
}

const DUES = 3;
/** Some are over before the next answer. */
const ASKED = 12;

/** Those that are still to come, as far as the clock is known. */
function ahead(dues: readonly number[], now: number | undefined): number[] {
  return dues.filter((at) => now === undefined || at >= now).slice(0, DUES);
}

function NextDues({ job, jobZone }: Omit<HeaderProps, 'onAsk'>) {
  const t = useTranslations('job');
  const now = useServerNow();
  const preview = useQuery({
    queryKey: ['job', job.name, 'preview', job.next_due_ms, job.revision, job.state],
    queryFn: ({ signal }) =>
      answered(
        api.GET('/jobs/{job}/preview', { params: { path: { job: job.name }, query: { count: ASKED } }, signal }),
      ),
    placeholderData: (before) => before,
  });
  if (job.state === 'paused') return <p className="faint">{t('nextPaused')}</p>;
  return (
    <Loaded of={preview} skeleton={<Skeleton lines={3} />}>
      {({ due_ms: dues, note }) => (
        <>
          {dues.length > 0 && (
            <ol className="next-dues">
              {ahead(dues, now).map((at) => (
                <li key={at}>
                  <Time ms={at} jobZone={jobZone} precision="millisecond" withZone />{' '}
                  <span className="faint small">
                    <Age ms={at} />
                  </span>
                </li>
              ))}
            </ol>
          )}
          {note !== '' && (
            <p className="faint untrusted" lang="en">
              {visible(note)}
            </p>
          )}
        </>
      )}
    </Loaded>
  );
}

function Facts({ job, jobZone }: Omit<HeaderProps, 'onAsk'>) {
  const t = useTranslations('job');
  const { locale } = usePrefs();
  const time = (ms: number | null | undefined) => <Time ms={ms ?? 0} jobZone={jobZone} withZone />;
  const { handler, group } = job.spec as { handler?: unknown; group?: unknown };
  const facts: [string, ReactNode][] = [
    [t('lastDue'), time(job.last_due_ms)],
    [t('firedTimes'), numberText(job.fired, locale)],
    [t('activeRuns'), numberText(job.active.length, locale)],
    [t('queued'), numberText(job.queued, locale)],
    [t('handler'), <Mono key="handler" text={handler} />],
    [t('group'), <Mono key="group" text={group} />],
    [t('revision'), numberText(job.revision, locale)],
    [t('updated'), time(job.updated_ms)],
  ];
  return (
    <dl className="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className="num">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Mono({ text }: { text: unknown }) {
  return <span className="mono untrusted">{typeof text === 'string' ? visible(text) : '–'}</span>;
}
