// What is around every screen: the bar above, the rail beside (on a phone below), search, and the help of the keyboard.
import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useTranslations } from 'use-intl';
import { answered, api, onLoggedOut } from '../api/client.ts';
import { asProblem } from '../api/problem.ts';
import { useSession } from '../api/session.ts';
import { theHub } from '../live/use.ts';
import { setPrefs, usePrefs } from '../prefs.ts';
import { nextZone } from '../time/zone.ts';
import { Icon } from '../ui/icons.tsx';
import { Skeleton } from '../ui/Loaded.tsx';
import { ProblemBox } from '../ui/Problem.tsx';
import { Help } from './Help.tsx';
import { useKeys } from './keys.ts';
import { PLACES } from './places.ts';
import { Search } from './Search.tsx';
import { TopBar } from './TopBar.tsx';

/** Ages are told by the clock of the cluster on every screen, so each hears of it now and then. */
const CLOCK_EVERY_MS = 60_000;

function useClock(isIn: boolean): void {
  useQuery({
    queryKey: ['clock'],
    // Its header tells the time, and that is taken up where all answers pass.
    queryFn: ({ signal }) => answered(api.GET('/overview', { signal })).then(() => null),
    enabled: isIn,
    refetchInterval: CLOCK_EVERY_MS,
    staleTime: CLOCK_EVERY_MS,
  });
}

export function Shell() {
  const t = useTranslations('common');
  const session = useSession();
  const navigate = useNavigate();
  const place = useRouterState({ select: (state) => state.location });
  const choices = usePrefs();
  useClock(session.data !== undefined);
  const [open, setOpen] = useState<'search' | 'help' | undefined>();

  useEffect(
    () =>
      onLoggedOut(() => {
        if (location.pathname === '/login') return;
        const next = location.pathname + location.search;
        void navigate({ to: '/login', search: next === '/' ? {} : { next } });
      }),
    [navigate],
  );
  useEffect(() => theHub().follow(choices.live), [choices.live]);
  useKeys({
    '/': () => setOpen('search'),
    '?': () => setOpen('help'),
    z: () => setPrefs({ zone: nextZone(choices.zone) }),
    '.': () => setPrefs({ live: !choices.live }),
    ...Object.fromEntries(PLACES.map(({ to, key }) => [`g ${key}`, () => void navigate({ to })])),
  });
  // A new screen is read from its beginning.
  useEffect(() => {
    if (place.pathname !== '') document.getElementById('content')?.scrollTo(0, 0);
  }, [place.pathname]);

  if (session.data === undefined) {
    if (session.error === null || asProblem(session.error).status === 401) {
      return (
        <main className="page">
          <Skeleton />
        </main>
      );
    }
    return (
      <main className="page">
        <ProblemBox error={session.error} again={() => void session.refetch()} />
      </main>
    );
  }
  return (
    <div className="shell">
      <a className="skip" href="#content">
        {t('skip')}
      </a>
      <TopBar session={session.data} onSearch={() => setOpen('search')} onHelp={() => setOpen('help')} />
      <Rail />
      <main id="content" className="content" tabIndex={-1}>
        <Outlet />
      </main>
      <Search isOpen={open === 'search'} onClose={() => setOpen(undefined)} />
      <Help isOpen={open === 'help'} onClose={() => setOpen(undefined)} />
    </div>
  );
}

function Rail() {
  const t = useTranslations('shell');
  return (
    <nav className="rail" aria-label={t('places')}>
      {PLACES.map(({ to, name, icon }) => (
        <Link key={to} to={to} activeOptions={{ exact: to === '/', includeSearch: false }}>
          <Icon name={icon} size={18} />
          <span>{t(name)}</span>
        </Link>
      ))}
    </nav>
  );
}
