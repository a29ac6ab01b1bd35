// Rows of jobs; on a phone each is a card.
import { Link, useNavigate } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { pathName } from '../../api/names.ts';
import { usePrefs } from '../../prefs.ts';
import { Age, Time } from '../../time/Time.tsx';
import { useNarrow, useRows } from '../../ui/rows.ts';
import { numberText, visible } from '../../ui/text.ts';
import type { Deed } from './Dialogs.tsx';
import { JobBadge } from './JobBadge.tsx';
import { JobLink } from './JobLink.tsx';
import { RowMenu } from './RowMenu.tsx';
import { descriptionOf, labelsOf, zoneOfSpec } from './spec.ts';
import { TriggerText } from './TriggerText.tsx';
import type { Job } from './useJobs.ts';

const CARD_HIGH = 128;
const COLUMNS = ['State', 'Name', 'Trigger', 'Next', 'Last', 'Fired', 'Active', 'Deeds'] as const;

interface TableProps {
  jobs: readonly Job[];
  onAsk: (job: Job, deed: Deed) => void;
}

export function Table({ jobs, onAsk }: TableProps) {
  const t = useTranslations('jobs');
  const { density } = usePrefs();
  const navigate = useNavigate();
  const isNarrow = useNarrow();
  const high = isNarrow ? CARD_HIGH : density === 'compact' ? 46 : 56;
  const { body, virtual, offset, chosen } = useRows(
    jobs,
    high,
    ({ name }) => name,
    ({ name }) => {
      void navigate({ to: '/jobs/$job', params: { job: pathName(name) } });
    },
  );
  return (
    <div className="job-table" role="table" aria-label={t('title')} aria-rowcount={jobs.length + 1}>
      <div role="rowgroup" className="job-head">
        <div role="row" className="job-row" aria-rowindex={1}>
          {COLUMNS.map((column) => (
            <span key={column} role="columnheader" className={`cell-${column}`}>
              {column === 'Deeds' ? <span className="sr-only">{t('columnDeeds')}</span> : t(`column${column}`)}
            </span>
          ))}
        </div>
      </div>
      <div role="rowgroup" ref={body} className="job-body" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, key, start }) => {
          const job = jobs[index];
          return (
            job !== undefined && (
              <div
                key={key}
                role="row"
                aria-rowindex={index + 2}
                className={index === chosen ? 'job-row chosen' : 'job-row'}
                style={{ height: high, transform: `translateY(${start - offset}px)` }}
              >
                <Cells job={job} onAsk={onAsk} />
              </div>
            )
          );
        })}
      </div>
    </div>
  );
}

/** What is said of a job under its name: why it is paused, or what it is for. */
function Remark({ job }: { job: Job }) {
  const t = useTranslations('jobs');
  if (job.pause_note !== '') {
    return (
      <>
        {t('pausedNote')} <q>{visible(job.pause_note)}</q>
      </>
    );
  }
  return visible(descriptionOf(job.spec) || labelsOf(job.spec).join(' '));
}

function Cells({ job, onAsk }: { job: Job; onAsk: TableProps['onAsk'] }) {
  const t = useTranslations('jobs');
  const { locale } = usePrefs();
  const zone = zoneOfSpec(job.spec);
  const waiting = job.active.length + job.queued;
  return (
    <>
      <span role="cell" className="cell-State">
        <JobBadge state={job.state} />
      </span>
      <span role="cell" className="cell-Name">
        <JobLink name={job.name} className="job-name mono untrusted" />
        <span className="faint small job-remark untrusted">
          <Remark job={job} />
        </span>
      </span>
      <span role="cell" className="cell-Trigger">
        <TriggerText spec={job.spec} />
      </span>
      <span role="cell" className="cell-Next">
        {job.next_due_ms ? (
          <>
            <Time ms={job.next_due_ms} jobZone={zone} withZone />
            <span className="faint small">
              <Age ms={job.next_due_ms} />
            </span>
          </>
        ) : (
          <span className="faint">–</span>
        )}
      </span>
      <span role="cell" className="cell-Last">
        {job.last_due_ms ? <Age ms={job.last_due_ms} /> : <span className="faint">–</span>}
      </span>
      <span role="cell" className="cell-Fired num">
        {numberText(job.fired, locale)}
      </span>
      <span role="cell" className="cell-Active num">
        {waiting === 0 ? (
          <span className="faint">–</span>
        ) : (
          <Link to="/runs" search={{ job: job.name }} aria-label={t('activeOf', { count: waiting, job: job.name })}>
            {numberText(waiting, locale)}
          </Link>
        )}
      </span>
      <span role="cell" className="cell-Deeds">
        <RowMenu job={job} onAsk={onAsk} />
      </span>
    </>
  );
}
