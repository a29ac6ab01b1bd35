// What a run says. It follows until somebody scrolls up, and then says how much is new.
import { type KeyboardEvent, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { useTranslations } from 'use-intl';
import { usePrefs } from '../../prefs.ts';
import { Icon } from '../../ui/icons.tsx';
import { Empty } from '../../ui/Loaded.tsx';
import { ProblemBox } from '../../ui/Problem.tsx';
import { numberText } from '../../ui/text.ts';
import { download } from './download.ts';
import { LogRow } from './LogRow.tsx';
import { asText, KEPT, matches } from './lines.ts';
import type { Run } from './RunPage.tsx';
import { useLog } from './useLog.ts';

/** So near the end somebody is at the end. */
const NEAR = 24;

export function Log({ run, jobZone }: { run: Run; jobZone: string | undefined }) {
  const t = useTranslations('run');
  const { locale } = usePrefs();
  const { log, lost, error, isLive } = useLog(run);
  const [attempt, setAttempt] = useState(0);
  const [sought, setSought] = useState('');
  const [at, setAt] = useState(0);
  const [follows, setFollows] = useState(true);
  const [wraps, setWraps] = useState(true);
  const [seen, setSeen] = useState(0);
  const box = useRef<HTMLDivElement>(null);

  const attempts = useMemo(() => [...new Set(log.lines.map((line) => line.attempt))].filter(Boolean), [log.lines]);
  const shown = useMemo(
    () => (attempt === 0 ? log.lines : log.lines.filter((line) => line.attempt === attempt || line.attempt === 0)),
    [log.lines, attempt],
  );
  const found = useMemo(() => matches(shown, sought), [shown, sought]);
  const current = found.length === 0 ? undefined : found[at % found.length];

  useLayoutEffect(() => {
    if (!follows || box.current === null || shown.length === 0) return;
    box.current.scrollTop = box.current.scrollHeight;
    setSeen(log.came);
  }, [shown, follows, log.came]);
  useEffect(() => {
    if (current === undefined) return;
    box.current?.querySelector(`[data-at="${current}"]`)?.scrollIntoView({ block: 'center' });
    setFollows(false);
  }, [current]);

  const onScroll = () => {
    const element = box.current;
    if (element === null) return;
    const isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR;
    if (isAtEnd) setSeen(log.came);
    setFollows(isAtEnd && sought === '');
  };
  const onSearchKey = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || found.length === 0) return;
    event.preventDefault();
    setAt((before) => (before + (event.shiftKey ? found.length - 1 : 1)) % found.length);
  };
  if (error !== undefined) return <ProblemBox error={error} />;
  const fresh = log.came - seen;
  return (
    <div className="log">
      <div className="log-bar">
        <label className="log-search">
          <span className="sr-only">{t('logSearch')}</span>
          <Icon name="search" size={14} />
          <input
            className="input"
            type="search"
            placeholder={t('logSearch')}
            value={sought}
            onChange={(event) => {
              setSought(event.target.value);
              setAt(0);
            }}
            onKeyDown={onSearchKey}
          />
        </label>
        <span className="faint small num" role="status">
          {sought !== '' &&
            (found.length === 0
              ? t('logNoMatch')
              : t('logMatches', { at: (at % found.length) + 1, count: found.length }))}
        </span>
        {attempts.length > 1 && (
          <label>
            <span className="sr-only">{t('logAttempt')}</span>
            <select className="input" value={attempt} onChange={(event) => setAttempt(Number(event.target.value))}>
              <option value={0}>{t('logAll')}</option>
              {attempts.map((one) => (
                <option key={one} value={one}>
                  {t('logAttempt')} {one}
                </option>
              ))}
            </select>
          </label>
        )}
        <span className="log-do">
          {isLive && (
            <button type="button" className="button small" aria-pressed={follows} onClick={() => setFollows(!follows)}>
              {t('logFollow')}
            </button>
          )}
          <button type="button" className="button small" aria-pressed={wraps} onClick={() => setWraps(!wraps)}>
            {t('logWrap')}
          </button>
          <button
            type="button"
            className="icon-button"
            disabled={shown.length === 0}
            onClick={() => download(`${run.id}.log`, asText(shown))}
            aria-label={t('logDownload')}
            title={t('logDownload')}
          >
            <Icon name="download" />
          </button>
        </span>
      </div>
      {lost > 0 && <p className="faint small">{t('logLost', { count: lost })}</p>}
      {log.came > KEPT && <p className="faint small">{t('logHere', { count: numberText(KEPT, locale) })}</p>}
      {shown.length === 0 ? (
        <Empty title={isLive ? t('logNoneRunning') : t('logNone')}>{!isLive && <p>{t('logForgotten')}</p>}</Empty>
      ) : (
        <div
          ref={box}
          className={wraps ? 'log-lines wraps' : 'log-lines'}
          onScroll={onScroll}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keys
          tabIndex={0}
          role="log"
          aria-live="off"
          aria-label={t('log')}
        >
          {shown.map((line, place) => (
            <LogRow
              key={line.number}
              line={line}
              place={place}
              jobZone={jobZone}
              mark={sought === '' || !found.includes(place) ? 'none' : place === current ? 'here' : 'found'}
            />
          ))}
          <p className="log-end faint small">{log.ended || !isLive ? t('logEnded') : t('logWaits')}</p>
        </div>
      )}
      {isLive && !follows && fresh > 0 && (
        <button type="button" className="fresh log-fresh" onClick={() => setFollows(true)}>
          {t('logNew', { count: fresh })}
        </button>
      )}
    </div>
  );
}
