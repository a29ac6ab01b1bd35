// Stopping and repeating: what will happen is said before it does, and what happened afterwards.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { answered, api } from '../../api/client.ts';
import { pathName } from '../../api/names.ts';
import { useMay } from '../../api/session.ts';
import { useKeys } from '../../shell/keys.ts';
import { CopyAs } from '../../ui/Copy.tsx';
import { cli, curl } from '../../ui/command.ts';
import { Decision, Verbed } from '../../ui/Decision.tsx';
import { hasEnded } from '../../ui/State.tsx';
import type { Run } from './RunPage.tsx';

export function Actions({ run }: { run: Run }) {
  const t = useTranslations('run');
  const queries = useQueryClient();
  const [asked, setAsked] = useState<'stop' | 'retry' | undefined>();
  const stopping = useMay('CancelRun');
  const repeating = useMay('RetryRun');
  const isOver = hasEnded(run.state);
  const mayStop = stopping.may && !isOver;
  const mayRetry = repeating.may && ['failed', 'timed_out', 'expired'].includes(run.state);
  const settled = () => queries.invalidateQueries({ queryKey: ['run', run.id] });
  const params = { path: { run: run.id } };
  const stop = useMutation({
    mutationFn: () => answered(api.POST('/runs/{run}:cancel', { params })),
    onSuccess: () => setAsked(undefined),
    onSettled: settled,
  });
  const retry = useMutation({
    mutationFn: () => answered(api.POST('/runs/{run}:retry', { params })),
    onSuccess: () => {
      setAsked(undefined);
      stop.reset();
    },
    onSettled: settled,
  });
  const close = () => {
    setAsked(undefined);
    stop.reset();
    retry.reset();
  };
  useKeys({
    c: () => mayStop && setAsked('stop'),
    t: () => mayRetry && setAsked('retry'),
  });
  const path = `/runs/${pathName(run.id)}`;
  return (
    <>
      {isOver ? (
        <Verbed
          icon="retry"
          word={t('retry')}
          may={mayRetry}
          why={repeating.why ?? t('retryOnly')}
          act={() => setAsked('retry')}
        />
      ) : (
        <Verbed icon="stop" word={t('stop')} may={mayStop} why={stopping.why} act={() => setAsked('stop')} isDanger />
      )}
      {stop.isSuccess && !isOver && (
        <span className="faint" role="status">
          {t('stopped')}
        </span>
      )}
      {retry.isSuccess && !isOver && (
        <span className="faint" role="status">
          {t('retried')}
        </span>
      )}
      <Decision
        isOpen={asked === 'stop'}
        title={t('stopTitle')}
        doIt={t('stopDo')}
        leaveIt={t('stopKeep')}
        isDanger
        isBusy={stop.isPending}
        isOut={isOver}
        error={stop.error}
        onDo={() => stop.mutate()}
        onClose={close}
        copy={<CopyAs cli={cli('run', 'cancel', run.id)} curl={curl(`${path}:cancel`, 'POST')} />}
      >
        {isOver ? (
          <p role="status">{t('stopEnded')}</p>
        ) : (
          <>
            <p>{run.state === 'running' ? t('stopRunning', { worker: run.worker }) : t('stopWaiting')}</p>
            {run.fan && <p>{t('stopFan')}</p>}
          </>
        )}
      </Decision>
      <Decision
        isOpen={asked === 'retry'}
        title={t('retryTitle')}
        doIt={t('retryDo')}
        leaveIt={t('retryKeep')}
        isBusy={retry.isPending}
        error={retry.error}
        onDo={() => retry.mutate()}
        onClose={close}
        copy={<CopyAs cli={cli('run', 'retry', run.id)} curl={curl(`${path}:retry`, 'POST')} />}
      >
        <p>{t('retryText', { attempt: run.attempt + 1 })}</p>
      </Decision>
    </>
  );
}
