import { useTranslations } from 'use-intl';
import { Icon, type Verb } from '../../ui/icons.tsx';

const LOOKS = {
  active: ['play', 'good'],
  paused: ['pause', 'late'],
  finished: ['check', 'quiet'],
} as const satisfies Record<string, readonly [Verb, string]>;

const isKnown = (state: string): state is keyof typeof LOOKS => Object.hasOwn(LOOKS, state);

/** The state of a job as word, shape and colour. */
export function JobBadge({ state, large = false }: { state: string; large?: boolean }) {
  const t = useTranslations('jobs');
  const [icon, tone] = isKnown(state) ? LOOKS[state] : (['more', 'quiet'] as const);
  return (
    <span className={`state tone-${tone}${large ? ' large' : ''}`}>
      <Icon name={icon} size={large ? 16 : 13} />
      {isKnown(state) ? t(state) : state}
    </span>
  );
}
