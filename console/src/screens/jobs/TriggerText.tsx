import { useTranslations } from 'use-intl';
import { Time } from '../../time/Time.tsx';
import { visible } from '../../ui/text.ts';
import { JobLink } from './JobLink.tsx';
import { triggerOf } from './spec.ts';

/** When a job is due, in words; an expression stands as it was written. */
export function TriggerText({ spec }: { spec: unknown }) {
  const t = useTranslations('jobs');
  const trigger = triggerOf(spec);
  switch (trigger.kind) {
    case 'cron':
      return (
        <>
          <code className="untrusted">{visible(trigger.text)}</code>{' '}
          <span className="faint untrusted">{visible(trigger.zone)}</span>
        </>
      );
    case 'every':
      return t('every', { span: trigger.text });
    case 'delay':
      return t('delay', { span: trigger.text });
    case 'once': {
      const at = /^\d+$/.test(trigger.text) ? Number(trigger.text) : Date.parse(trigger.text);
      return Number.isFinite(at) ? t.rich('once', { at: () => <Time ms={at} withZone /> }) : visible(trigger.text);
    }
    case 'after':
      return t.rich(
        trigger.on === 'failed' ? 'afterFailed' : trigger.on === 'ended' ? 'afterEnded' : 'afterSucceeded',
        {
          job: () => <JobLink name={trigger.text} />,
        },
      );
    case 'manual':
      return t('manual');
    case 'other':
      return <code className="untrusted">{visible(trigger.text)}</code>;
  }
}
