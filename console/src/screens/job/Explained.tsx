// Why a job did or did not run at a due time, in the server's words.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { useTranslations } from 'use-intl';
import { answered, api } from '../../api/client.ts';
import { pathName } from '../../api/names.ts';
import { Time } from '../../time/Time.tsx';
import { Icon } from '../../ui/icons.tsx';
import { Loaded, Skeleton } from '../../ui/Loaded.tsx';
import { visible } from '../../ui/text.ts';

interface ExplainedProps {
  name: string;
  at: number;
  jobZone: string | undefined;
  onClose: () => void;
}

/** The run that a sentence names, where its record does not. */
function runIn(text: string, name: string): string {
  return (
    [...text.matchAll(/`(\d+\.\d+\.[^`\s]+)`/g)].map(([, id = '']) => id).find((id) => id.endsWith(`@${name}`)) ?? ''
  );
}

export function Explained({ name, at, jobZone, onClose }: ExplainedProps) {
  const t = useTranslations('job');
  const explained = useQuery({
    queryKey: ['job', name, 'explain', at],
    queryFn: ({ signal }) =>
      answered(api.GET('/jobs/{job}/explain', { params: { path: { job: name }, query: { at } }, signal })),
  });
  const panel = useRef<HTMLElement>(null);
  const isThere = explained.data !== undefined;
  useEffect(() => {
    if (at > 0 && isThere) panel.current?.scrollIntoView({ block: 'nearest' });
  }, [at, isThere]);
  return (
    <section ref={panel} className="explained" aria-label={t('why')}>
      <div className="page-head">
        <h3>
          {t('why')} <Time ms={at} jobZone={jobZone} precision="millisecond" withZone />
        </h3>
        <button type="button" className="icon-button" onClick={onClose} aria-label={t('whyClose')}>
          <Icon name="close" />
        </button>
      </div>
      <Loaded of={explained} skeleton={<Skeleton lines={2} />}>
        {({ text, record }) => {
          const run = record?.run_id || runIn(text, name);
          return (
            <>
              <p className="why untrusted" lang="en" role="status">
                {visible(text)}
              </p>
              {run !== '' && (
                <p>
                  <Link to="/runs/$run" params={{ run: pathName(run) }}>
                    {t('openRun')}
                  </Link>
                </p>
              )}
            </>
          );
        }}
      </Loaded>
    </section>
  );
}
