// What is done to a job: what it does is said first. A job is deleted as it was when the dialog was opened: one that was changed since is not.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { answered, api } from '../../api/client.ts';
import { pathName } from '../../api/names.ts';
import { asProblem } from '../../api/problem.ts';
import { CopyAs } from '../../ui/Copy.tsx';
import { cli, curl, withBody } from '../../ui/command.ts';
import { Decision } from '../../ui/Decision.tsx';
import { visible } from '../../ui/text.ts';
import type { Job } from './useJobs.ts';

export type Deed = 'pause' | 'resume' | 'run' | 'delete';

interface DialogProps {
  /** The job as it was read. */
  job: Job;
  onClose: () => void;
}

interface DeedProps extends DialogProps {
  deed: Deed;
  /** It is gone. */
  onDeleted?: () => void;
}

export function DeedDialog({ deed, job, onClose, onDeleted }: DeedProps) {
  switch (deed) {
    case 'pause':
      return <PauseDialog job={job} onClose={onClose} />;
    case 'resume':
      return <ResumeDialog job={job} onClose={onClose} />;
    case 'run':
      return <RunDialog job={job} onClose={onClose} />;
    case 'delete':
      return <DeleteDialog job={job} onClose={onClose} onDeleted={onDeleted} />;
  }
}

/** What is shown of jobs is asked for again. */
function useSettled(name: string): () => Promise<unknown> {
  const queries = useQueryClient();
  return () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: ['jobs'] }),
      queries.invalidateQueries({ queryKey: ['job', name] }),
    ]);
}

function PauseDialog({ job, onClose }: DialogProps) {
  const t = useTranslations('jobs');
  const [note, setNote] = useState('');
  const body = note.trim() === '' ? {} : { note: note.trim() };
  const pause = useMutation({
    mutationFn: () =>
      answered(
        api.POST('/jobs/{job}:pause', {
          params: { path: { job: job.name } },
          body,
        }),
      ),
    onSuccess: onClose,
    onSettled: useSettled(job.name),
  });
  return (
    <Decision
      isOpen
      title={t('pauseTitle', { job: job.name })}
      doIt={t('pauseDo')}
      leaveIt={t('leave')}
      isBusy={pause.isPending}
      error={pause.error}
      onDo={() => pause.mutate()}
      onClose={onClose}
      copy={
        <CopyAs
          cli={cli('job', 'pause', job.name, ...(note.trim() === '' ? [] : ['--note', note.trim()]))}
          curl={withBody(curl(`/jobs/${pathName(job.name)}:pause`, 'POST'), body)}
        />
      }
    >
      <p>{t('pauseText')}</p>
      <div className="form">
        <label>
          {t('note')}
          <input
            className="input"
            value={note}
            onChange={(event) => setNote(event.target.value)}
            placeholder={t('noteHint')}
            autoComplete="off"
          />
        </label>
      </div>
    </Decision>
  );
}

function ResumeDialog({ job, onClose }: DialogProps) {
  const t = useTranslations('jobs');
  const resume = useMutation({
    mutationFn: () => answered(api.POST('/jobs/{job}:resume', { params: { path: { job: job.name } } })),
    onSuccess: onClose,
    onSettled: useSettled(job.name),
  });
  return (
    <Decision
      isOpen
      title={t('resumeTitle', { job: job.name })}
      doIt={t('resumeDo')}
      leaveIt={t('leave')}
      isBusy={resume.isPending}
      error={resume.error}
      onDo={() => resume.mutate()}
      onClose={onClose}
      copy={<CopyAs cli={cli('job', 'resume', job.name)} curl={curl(`/jobs/${pathName(job.name)}:resume`, 'POST')} />}
    >
      <p>{t('resumeText')}</p>
      {job.pause_note !== '' && (
        <p className="faint">
          {t('pausedNote')} <q className="untrusted">{visible(job.pause_note)}</q>
        </p>
      )}
    </Decision>
  );
}

/** A key of a request: sent again after an answer was lost, it makes no second run. */
function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function RunDialog({ job, onClose }: DialogProps) {
  const t = useTranslations('jobs');
  const [key] = useState(newKey);
  const run = useMutation({
    mutationFn: () =>
      answered(
        api.POST('/jobs/{job}:run', {
          params: { path: { job: job.name }, header: { 'Idempotency-Key': key } },
          body: {},
        }),
      ),
    onSettled: useSettled(job.name),
  });
  const made = run.data;
  return (
    <Decision
      isOpen
      title={t('runTitle', { job: job.name })}
      doIt={t('runDo')}
      leaveIt={made === undefined ? t('leave') : t('close')}
      isBusy={run.isPending}
      isOut={made !== undefined}
      error={run.error}
      onDo={() => run.mutate()}
      onClose={onClose}
      copy={
        <CopyAs
          cli={cli('job', 'run', job.name)}
          curl={withBody(curl(`/jobs/${pathName(job.name)}:run`, 'POST'), {})}
        />
      }
    >
      {made === undefined && <p>{job.state === 'paused' ? t('runTextPaused') : t('runText')}</p>}
      {made !== undefined && made.id !== '' && (
        <p role="status">
          {t.rich('runMade', {
            id: () => (
              <Link to="/runs/$run" params={{ run: pathName(made.id) }} className="mono untrusted" onClick={onClose}>
                {made.id}
              </Link>
            ),
          })}
        </p>
      )}
      {made !== undefined && made.id === '' && (
        <p role="status">
          {t('runSkipped')} <code className="untrusted">{visible(made.skipped_reason)}</code>
        </p>
      )}
    </Decision>
  );
}

function DeleteDialog({ job, onClose, onDeleted }: DialogProps & { onDeleted: (() => void) | undefined }) {
  const t = useTranslations('jobs');
  const [isForced, setForced] = useState(false);
  const settled = useSettled(job.name);
  const remove = useMutation({
    mutationFn: () =>
      answered(
        api.DELETE('/jobs/{job}', {
          params: {
            path: { job: job.name },
            header: { 'If-Match': `"${job.revision}"` },
            query: isForced ? { force: true } : {},
          },
        }),
      ),
    onSettled: () => (onDeleted === undefined ? settled() : undefined),
  });
  const done = remove.data;
  const close = () => {
    onClose();
    if (done !== undefined) onDeleted?.();
  };
  const revision = ['--if-revision', String(job.revision), ...(isForced ? ['--force'] : [])];
  return (
    <Decision
      isOpen
      title={t('deleteTitle', { job: job.name })}
      doIt={t('deleteDo')}
      leaveIt={done === undefined ? t('deleteKeep') : t('close')}
      isDanger
      isBusy={remove.isPending}
      isOut={done !== undefined}
      error={remove.error}
      onDo={() => remove.mutate()}
      onClose={close}
      copy={
        <CopyAs
          cli={cli('job', 'delete', job.name, ...revision)}
          curl={curl(
            `/jobs/${pathName(job.name)}${isForced ? '?force=true' : ''}`,
            'DELETE',
            `If-Match: "${job.revision}"`,
          )}
        />
      }
    >
      {done === undefined ? (
        <>
          <p>{t('deleteText')}</p>
          <p>{t('deleteRuns', { active: job.active.length, queued: job.queued })}</p>
          <p className="faint small">{t('deleteRevision', { revision: job.revision })}</p>
          {remove.error !== null && asProblem(remove.error).status === 409 && (
            <label className="check">
              <input type="checkbox" checked={isForced} onChange={(event) => setForced(event.target.checked)} />
              {t('deleteForce')}
            </label>
          )}
        </>
      ) : (
        <p role="status">{t('deleted', { cancelled: done.cancelled, running: done.running })}</p>
      )}
    </Decision>
  );
}
