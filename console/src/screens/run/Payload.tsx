// A text exactly as it is: nothing reads it as JSON and prints it again, so that a number of any size stays what it was.
import type { ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import { usePrefs } from '../../prefs.ts';
import { bytesText } from '../../time/format.ts';
import { CopyButton } from '../../ui/Copy.tsx';
import { Icon } from '../../ui/icons.tsx';
import { download } from './download.ts';

interface ExactProps {
  text: string | null | undefined;
  base64: string | null | undefined;
  /** Bytes that were not kept. */
  dropped: number;
  file: string;
  /** What is shown where there is nothing. */
  children: ReactNode;
}

export function Exact({ text, base64, dropped, file, children }: ExactProps) {
  const t = useTranslations('run');
  const { locale } = usePrefs();
  if (dropped > 0) return <p className="faint">{t('payloadDropped', { size: bytesText(dropped, locale) })}</p>;
  const shown = text || base64;
  if (!shown) return children;
  const isText = Boolean(text);
  const size = isText ? new TextEncoder().encode(shown).length : Math.floor((shown.replaceAll('=', '').length * 3) / 4);
  return (
    <div className="exact">
      <div className="exact-head faint small">
        <span>{bytesText(size, locale)}</span>
        {!isText && <span>{t('payloadBase64')}</span>}
        <span className="exact-do">
          <CopyButton text={shown} />
          <button
            type="button"
            className="icon-button"
            onClick={() => download(`${file}.${isText ? 'txt' : 'b64'}`, shown)}
            aria-label={t('logDownload')}
            title={t('logDownload')}
          >
            <Icon name="download" size={14} />
          </button>
        </span>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keys */}
      <pre className="untrusted exact-text" tabIndex={0}>
        {shown}
      </pre>
    </div>
  );
}
