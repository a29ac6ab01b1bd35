import { useTranslations } from 'use-intl';
import { usePrefs } from '../../prefs.ts';
import { useServerNow } from '../../time/clock.ts';
import { durationText } from '../../time/format.ts';
import { Time } from '../../time/Time.tsx';
import { isState, toneOf } from '../../ui/State.tsx';
import type { Run } from './RunPage.tsx';
import { type Segment, segmentsOf } from './segments.ts';

/** Even what took a millisecond is seen. */
const NARROWEST = 0.6;

export function Timeline({ run, jobZone }: { run: Run; jobZone: string | undefined }) {
  const t = useTranslations('run');
  const states = useTranslations('states');
  const { locale } = usePrefs();
  const now = useServerNow();
  const segments = now === undefined && run.ended_ms === 0 ? [] : segmentsOf(run, now ?? run.ended_ms);
  const [first, last] = [segments[0], segments.at(-1)];
  if (first === undefined || last === undefined) return null;
  const whole = Math.max(1, last.to - first.from);
  const said = (one: Segment) => {
    const took = durationText(one.to - one.from, locale);
    if (one.kind === 'wait') return t('segWait', { took });
    if (one.kind === 'pause') return t('segPause', { took });
    const outcome =
      one.outcome === 'running' ? t('stillRunning') : isState(one.outcome) ? states(one.outcome) : one.outcome;
    return t('segAttempt', { attempt: one.attempt, outcome, took });
  };
  return (
    <div className="timeline">
      <h3 className="sr-only">{t('timeline')}</h3>
      <div className="bars" aria-hidden="true">
        {segments.map((one) => (
          <span
            key={one.key}
            title={said(one)}
            className={`bar ${one.kind} ${one.kind === 'attempt' ? `tone-${toneOf(one.outcome)}` : ''}`}
            style={{ flexGrow: Math.max((100 * (one.to - one.from)) / whole, NARROWEST) }}
          />
        ))}
      </div>
      <div className="ends faint small">
        <Time ms={first.from} jobZone={jobZone} precision="millisecond" withZone />
        <Time ms={last.to} jobZone={jobZone} precision="millisecond" withZone />
      </div>
      <ol className="segments">
        {segments.map((one) => (
          <li key={one.key}>
            <span className={`mark ${one.kind} ${one.kind === 'attempt' ? `tone-${toneOf(one.outcome)}` : ''}`} />
            {said(one)}
          </li>
        ))}
      </ol>
    </div>
  );
}
