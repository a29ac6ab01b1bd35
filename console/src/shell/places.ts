// The screens that the rail shows. A new one has a row here, one in `router.tsx`, and its texts.
import type { Verb } from '../ui/icons.tsx';

export interface Place {
  to: '/' | '/jobs' | '/runs';
  /** Its name in `shell.json`. */
  name: 'now' | 'jobs' | 'runs';
  icon: Verb;
  /** The key that goes there, behind `g`. */
  key: string;
}

export const PLACES: readonly Place[] = [
  { to: '/', name: 'now', icon: 'now', key: 'n' },
  { to: '/jobs', name: 'jobs', icon: 'jobs', key: 'j' },
  { to: '/runs', name: 'runs', icon: 'runs', key: 'r' },
];
