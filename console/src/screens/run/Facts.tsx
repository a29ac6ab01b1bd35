import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import { pathName } from '../../api/names.ts';
import { Time, Took } from '../../time/Time.tsx';
import { hasEnded } from '../../ui/State.tsx';
import type { Run } from './RunPage.tsx';

export function Facts({ run, jobZone }: { run: Run; jobZone: string | undefined }) {
  const t = useTranslations('run');
  const time = (ms: number) => <Time ms={ms} jobZone={jobZone} precision="millisecond" withZone />;
  const facts: [string, ReactNode][] = [
    [t('due'), time(run.due_ms)],
    [t('started'), time(run.claimed_ms)],
  ];
  if (hasEnded(run.state)) facts.push([t('ended'), time(run.ended_ms)]);
  if (run.state === 'retrying') facts.push([t('nextAttempt'), time(run.next_attempt_ms)]);
  if (run.state === 'running') facts.push([t('lease'), time(run.lease_expires_ms)]);
  if (run.claimed_ms > 0) facts.push([t('took'), <Took key="took" from={run.claimed_ms} to={run.ended_ms} />]);
  facts.push(
    [
      t('handler'),
      <Link key="handler" to="/runs" search={{ handler: run.handler }} className="mono">
        {run.handler}
      </Link>,
    ],
    [
      t('group'),
      <Link key="group" to="/runs" search={{ group: run.group }} className="mono">
        {run.group}
      </Link>,
    ],
  );
  if (run.worker !== '') {
    facts.push([
      t('worker'),
      <Link key="worker" to="/runs" search={{ worker: run.worker }} className="mono">
        {run.worker}
      </Link>,
    ]);
  }
  if (run.job !== '') {
    facts.push([
      t('job'),
      <Link key="job" to="/jobs/$job" params={{ job: pathName(run.job) }} className="mono">
        {run.job}
      </Link>,
    ]);
  }
  facts.push(
    [
      t('attempt'),
      <span key="attempt" className="num">
        {run.attempt || '–'}
      </span>,
    ],
    [
      t('failures'),
      <span key="failures" className="num">
        {run.failures}
      </span>,
    ],
  );
  // The record of an end does not have it.
  if (!hasEnded(run.state)) {
    facts.push([
      t('priority'),
      <span key="priority" className="num">
        {run.priority}
      </span>,
    ]);
  }
  return (
    <section className="panel" aria-label={t('facts')}>
      <dl className="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {run.upstream && (
        <p className="faint">
          {t.rich('firedBy', {
            id: () => (
              <Link to="/runs/$run" params={{ run: pathName(run.upstream?.run_id ?? '') }} className="mono">
                {run.upstream?.run_id}
              </Link>
            ),
          })}
        </p>
      )}
    </section>
  );
}
