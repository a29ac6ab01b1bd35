import { memo, useState } from 'react';
import { useTranslations } from 'use-intl';
import { usePrefs } from '../../prefs.ts';
import { instantText, timeText } from '../../time/format.ts';
import { useZone } from '../../time/zone.ts';
import { visible } from '../../ui/text.ts';
import type { Line } from './lines.ts';

/** A longer line is shown from its beginning. */
const LONG = 4_096;

interface LogRowProps {
  line: Line;
  place: number;
  jobZone: string | undefined;
  mark: 'none' | 'found' | 'here';
}

export const LogRow = memo(function LogRow({ line, place, jobZone, mark }: LogRowProps) {
  const t = useTranslations('common');
  const { locale } = usePrefs();
  const zone = useZone(jobZone);
  const [isWhole, setWhole] = useState(false);
  const isCut = line.line.length > LONG && !isWhole;
  return (
    <div className={`log-row level-${line.level} mark-${mark}`} data-at={place} id={`L${line.number}`}>
      <span className="log-time num" title={instantText(line.time_ms, zone, locale, 'millisecond', true)}>
        {timeText(line.time_ms, zone, locale)}
      </span>
      <span className="log-level">{line.level}</span>
      <span className="log-text untrusted">
        {visible(isCut ? line.line.slice(0, LONG) : line.line)}
        {isCut && (
          <button type="button" className="button small" onClick={() => setWhole(true)}>
            … {t('showWhole')}
          </button>
        )}
      </span>
    </div>
  );
});
