import type { ErrorComponentProps } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { Icon } from '../ui/icons.tsx';

/** A screen that broke: the shell around it still works. */
export function Crashed({ error, reset }: ErrorComponentProps) {
  const t = useTranslations('problems');
  const common = useTranslations('common');
  return (
    <div className="page">
      <div className="problem" role="alert">
        <Icon name="warning" size={18} />
        <div>
          <h1 className="problem-title">{t('crashed')}</h1>
          <p>{t('crashedHint')}</p>
          <p className="mono small untrusted">{error instanceof Error ? error.message : String(error)}</p>
          <button type="button" className="button" onClick={reset}>
            {common('retry')}
          </button>
        </div>
      </div>
    </div>
  );
}
