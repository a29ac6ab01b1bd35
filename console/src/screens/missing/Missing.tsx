import { Link, useRouterState } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { useTitle } from '../../shell/title.ts';
import { visible } from '../../ui/text.ts';

export function Missing() {
  const t = useTranslations('missing');
  const path = useRouterState({ select: (state) => state.location.pathname });
  useTitle(t('title'));
  return (
    <main className="page lone">
      <h1>{t('title')}</h1>
      <p className="untrusted">{t('text', { path: visible(path) })}</p>
      <Link to="/" className="button primary">
        {t('now')}
      </Link>
    </main>
  );
}
