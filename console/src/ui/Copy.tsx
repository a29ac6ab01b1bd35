import { useEffect, useState } from 'react';
import { Button, Menu, MenuItem, MenuTrigger, Popover } from 'react-aria-components';
import { useTranslations } from 'use-intl';
import { Icon } from './icons.tsx';

/** Puts a text where it can be pasted from. Without a secure origin a browser has no clipboard for scripts, but an older way. */
async function toClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

export function useCopy(): { copied: boolean; copy: (text: string) => void } {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), 1_500);
    return () => clearTimeout(timer);
  }, [copied]);
  return { copied, copy: (text) => void toClipboard(text).then(setCopied) };
}

/** A button that copies a text; it says so when it is done. */
export function CopyButton({ text, label }: { text: string; label?: string }) {
  const t = useTranslations('common');
  const { copied, copy } = useCopy();
  const name = copied ? t('copied') : (label ?? t('copy'));
  return (
    <button type="button" className="icon-button" onClick={() => copy(text)} title={name} aria-label={name}>
      <Icon name={copied ? 'check' : 'copy'} size={14} />
    </button>
  );
}

/** The same view, or the same change, by other means. */
export function CopyAs({ cli, curl }: { cli: string; curl: string }) {
  const t = useTranslations('common');
  const { copied, copy } = useCopy();
  return (
    <MenuTrigger>
      <Button className="button copy-as">
        <Icon name={copied ? 'check' : 'copy'} size={14} />
        <span>{copied ? t('copied') : t('copyAs')}</span>
        <Icon name="down" size={12} />
      </Button>
      <Popover className="popover" placement="bottom end">
        <Menu className="menu" aria-label={t('copyAs')}>
          <MenuItem className="menu-item" onAction={() => copy(cli)} textValue={t('copyCli')}>
            <span>{t('copyCli')}</span>
            <code>{cli}</code>
          </MenuItem>
          <MenuItem className="menu-item" onAction={() => copy(curl)} textValue={t('copyCurl')}>
            <span>{t('copyCurl')}</span>
            <code>{curl}</code>
          </MenuItem>
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
