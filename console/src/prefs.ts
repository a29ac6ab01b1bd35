// What somebody chose in this browser. It is kept in the browser alone, and only what is chosen here: no token, nothing of the cluster.
import { useSyncExternalStore } from 'react';

export type Theme = 'auto' | 'light' | 'dark';
export type Locale = 'en' | 'zh-CN';
export type Density = 'compact' | 'comfortable';

export interface Prefs {
  theme: Theme;
  locale: Locale;
  density: Density;
  /** `job`, `utc`, `local`, or the name of a zone. */
  zone: string;
  /** Whether single letters are commands. */
  keys: boolean;
  /** Whether pages follow what is going on. */
  live: boolean;
}

const KEY = 'tickwheel.prefs';
const listeners = new Set<() => void>();

/** The language that a browser asks for, as far as the console has it. */
export function localeOf(languages: readonly string[]): Locale {
  for (const language of languages) {
    if (language.toLowerCase().startsWith('zh')) return 'zh-CN';
    if (language.toLowerCase().startsWith('en')) return 'en';
  }
  return 'en';
}

function defaults(): Prefs {
  return {
    theme: 'auto',
    locale: localeOf(navigator.languages),
    density: 'comfortable',
    zone: 'local',
    keys: true,
    live: true,
  };
}

/** What was kept, as far as it still has a meaning. */
export function readPrefs(text: string | null, fallback: Prefs): Prefs {
  let kept: Partial<Prefs> = {};
  try {
    const parsed: unknown = JSON.parse(text ?? '{}');
    if (parsed !== null && typeof parsed === 'object') kept = parsed as Partial<Prefs>;
  } catch {
    // What cannot be read was not written here.
  }
  const oneOf = <T>(value: unknown, allowed: readonly T[], other: T): T =>
    allowed.includes(value as T) ? (value as T) : other;
  return {
    theme: oneOf(kept.theme, ['auto', 'light', 'dark'], fallback.theme),
    locale: oneOf(kept.locale, ['en', 'zh-CN'], fallback.locale),
    density: oneOf(kept.density, ['compact', 'comfortable'], fallback.density),
    zone: typeof kept.zone === 'string' && isZoneChoice(kept.zone) ? kept.zone : fallback.zone,
    keys: typeof kept.keys === 'boolean' ? kept.keys : fallback.keys,
    live: typeof kept.live === 'boolean' ? kept.live : fallback.live,
  };
}

function isZoneChoice(zone: string): boolean {
  if (zone === 'job' || zone === 'utc' || zone === 'local') return true;
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

let current: Prefs | undefined;

export function prefs(): Prefs {
  current ??= readPrefs(localStorage.getItem(KEY), defaults());
  return current;
}

export function setPrefs(change: Partial<Prefs>): void {
  current = { ...prefs(), ...change };
  localStorage.setItem(KEY, JSON.stringify(current));
  show();
  for (const listener of listeners) listener();
}

/** Has the document look as it was chosen. */
export function show(): void {
  const { theme, locale, density } = prefs();
  const root = document.documentElement;
  root.dataset.theme = theme;
  root.dataset.density = density;
  root.lang = locale;
}

export function usePrefs(): Prefs {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, prefs);
}

/** Another tab may have chosen something else. */
export function followOtherTabs(): void {
  addEventListener('storage', (event) => {
    if (event.key !== KEY) return;
    current = undefined;
    show();
    for (const listener of listeners) listener();
  });
}
