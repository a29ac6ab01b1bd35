import { useTranslations } from 'use-intl';
import type en from '../i18n/en/states.json';
import { StateIcon } from './icons.tsx';

export type State = keyof typeof en;

/** Which colour a state has. */
const TONES: Record<State, string> = {
  scheduled: 'waiting',
  queued: 'waiting',
  ready: 'waiting',
  retrying: 'waiting',
  running: 'running',
  waiting_for_subtasks: 'running',
  succeeded: 'good',
  failed: 'bad',
  timed_out: 'bad',
  lost: 'bad',
  cancelled: 'quiet',
  expired: 'missed',
};

export const STATES = [
  'scheduled',
  'queued',
  'ready',
  'running',
  'waiting_for_subtasks',
  'retrying',
  'succeeded',
  'failed',
  'timed_out',
  'cancelled',
  'expired',
] as const satisfies readonly State[];

const ENDED: readonly string[] = ['succeeded', 'failed', 'timed_out', 'cancelled', 'expired'];

export const hasEnded = (state: string): boolean => ENDED.includes(state);
export const isState = (state: string): state is State => state in TONES;
export const toneOf = (state: string): string => (isState(state) ? TONES[state] : 'quiet');

/** A state as word, shape and colour. */
export function StateBadge({ state, large = false }: { state: string; large?: boolean }) {
  const t = useTranslations('states');
  return (
    <span className={`state tone-${toneOf(state)}${large ? ' large' : ''}`}>
      <StateIcon state={state} size={large ? 16 : 13} />
      {isState(state) ? t(state) : state}
    </span>
  );
}
