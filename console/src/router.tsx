// Which screen is at which address. What a screen shows is in its address alone, so that it can be shared and come back to.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { jobSearch } from './screens/job/search.ts';
import { jobsSearch } from './screens/jobs/search.ts';
import { Login } from './screens/login/Login.tsx';
import { Missing } from './screens/missing/Missing.tsx';
import { runSearch } from './screens/run/search.ts';
import { runsSearch } from './screens/runs/search.ts';
import { parseSearch, stringifySearch } from './search.ts';
import { Crashed } from './shell/Crashed.tsx';
import { Shell } from './shell/Shell.tsx';

const root = createRootRoute({ notFoundComponent: Missing, errorComponent: Crashed });

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  validateSearch: (search): { next?: string } =>
    // Only places of this page: whoever made the link may not lead elsewhere.
    typeof search.next === 'string' && /^\/(?![/\\])/.test(search.next) ? { next: search.next } : {},
  component: Login,
});

const shell = createRoute({ getParentRoute: () => root, id: 'shell', component: Shell });

const now = createRoute({
  getParentRoute: () => shell,
  path: '/',
  component: lazyRouteComponent(() => import('./screens/now/Now.tsx'), 'Now'),
});
const jobs = createRoute({
  getParentRoute: () => shell,
  path: '/jobs',
  validateSearch: jobsSearch,
  component: lazyRouteComponent(() => import('./screens/jobs/Jobs.tsx'), 'Jobs'),
});
const job = createRoute({
  getParentRoute: () => shell,
  path: '/jobs/$job',
  validateSearch: jobSearch,
  component: lazyRouteComponent(() => import('./screens/job/JobPage.tsx'), 'JobPage'),
});
const runs = createRoute({
  getParentRoute: () => shell,
  path: '/runs',
  validateSearch: runsSearch,
  component: lazyRouteComponent(() => import('./screens/runs/Runs.tsx'), 'Runs'),
});
const run = createRoute({
  getParentRoute: () => shell,
  path: '/runs/$run',
  validateSearch: runSearch,
  component: lazyRouteComponent(() => import('./screens/run/RunPage.tsx'), 'RunPage'),
});

export const router = createRouter({
  routeTree: root.addChildren([login, shell.addChildren([now, jobs, job, runs, run])]),
  parseSearch,
  stringifySearch,
  // What a screen does not know is not in its address: nothing passes by what `validateSearch` lets through.
  search: { strict: true },
  pathParamsAllowedCharacters: ['@', ':'],
  defaultErrorComponent: Crashed,
  defaultNotFoundComponent: Missing,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
