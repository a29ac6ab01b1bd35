// The texts of the console: English comes with the page, other languages when they are asked for.
import { type ReactNode, useEffect, useState } from 'react';
import { IntlProvider } from 'use-intl';
import { type Locale, usePrefs } from '../prefs.ts';
import en, { type Messages } from './en/index.ts';

declare module 'use-intl' {
  interface AppConfig {
    Messages: Messages;
    Locale: Locale;
  }
}

const loaded: Partial<Record<Locale, Messages>> = { en };

async function load(locale: Locale): Promise<Messages> {
  const found = loaded[locale] ?? (await import('./zh-CN/index.ts')).default;
  loaded[locale] = found;
  return found;
}

export function Texts({ children }: { children: ReactNode }) {
  const { locale } = usePrefs();
  const [shown, setShown] = useState(() => ({ locale, messages: loaded[locale] }));
  useEffect(() => {
    let isOver = false;
    load(locale).then(
      (messages) => {
        if (!isOver) setShown({ locale, messages });
      },
      // Without its file a language is English.
      () => {
        if (!isOver) setShown({ locale, messages: en });
      },
    );
    return () => {
      isOver = true;
    };
  }, [locale]);
  // Nothing for the moment before the first texts are there, rather than all of it in another language.
  if (shown.messages === undefined) return null;
  return (
    <IntlProvider locale={shown.locale} messages={shown.messages} timeZone="UTC">
      {children}
    </IntlProvider>
  );
}
