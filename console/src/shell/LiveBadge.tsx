import { useEffect, useState } from 'react';
import { useTranslations } from 'use-intl';
import { useStreamStatus } from '../live/use.ts';
import { setPrefs, usePrefs } from '../prefs.ts';
import { useServerNow } from '../time/clock.ts';
import { timeText } from '../time/format.ts';
import { useZone } from '../time/zone.ts';

/** Whether this page follows what happens, and the time at the cluster. */
export function LiveBadge() {
  const t = useTranslations('shell');
  const status = useStreamStatus();
  const { live, locale } = usePrefs();
  const zone = useZone();
  const now = useServerNow();
  const left = useSecondsLeft(status.state === 'down' ? status.retryAt : undefined);
  const word = () => {
    if (!live) return t('livePaused');
    if (status.state === 'live') return t('live');
    if (status.state === 'down') return t('liveRetry', { seconds: left });
    if (status.state === 'refused') return t('liveRefused');
    if (status.state === 'connecting') return t('liveConnecting');
    return undefined;
  };
  const said = word();
  const why = status.state === 'down' || status.state === 'refused' ? `\n${status.why}` : '';
  const kind = live ? status.state : 'paused';
  return (
    <button
      type="button"
      className={`live live-${kind}`}
      aria-pressed={live}
      title={(live ? t('liveTitle') : t('liveOffTitle')) + why}
      onClick={() => setPrefs({ live: !live })}
    >
      <span className="dot" aria-hidden="true" />
      <span role="status">{said ?? t('live')}</span>
      {now !== undefined && (
        <span className="num wide-only" aria-hidden="true">
          {timeText(now, zone, locale)}
        </span>
      )}
    </button>
  );
}

/** Whole seconds until an instant by the clock of this browser. */
function useSecondsLeft(until: number | undefined): number {
  const [left, setLeft] = useState(0);
  useEffect(() => {
    if (until === undefined) return undefined;
    const show = () => setLeft(Math.max(1, Math.ceil((until - Date.now()) / 1_000)));
    show();
    const timer = setInterval(show, 500);
    return () => clearInterval(timer);
  }, [until]);
  return left;
}
