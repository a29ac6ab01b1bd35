import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { Button, Header, Menu, MenuItem, MenuSection, MenuTrigger, Popover, Separator } from 'react-aria-components';
import { useTranslations } from 'use-intl';
import { type Session, useLogOut } from '../api/session.ts';
import { type Density, type Locale, setPrefs, type Theme, usePrefs } from '../prefs.ts';
import { localZone } from '../time/zone.ts';
import { Icon } from '../ui/icons.tsx';
import { LiveBadge } from './LiveBadge.tsx';
import { ZoneDialog } from './ZoneDialog.tsx';

interface TopBarProps {
  session: Session;
  onSearch: () => void;
  onHelp: () => void;
}

export function TopBar({ session, onSearch, onHelp }: TopBarProps) {
  const t = useTranslations('shell');
  return (
    <header className="top">
      <Link to="/" className="brand" aria-label={t('title')}>
        <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
          <circle cx="16" cy="16" r="13" fill="none" stroke="currentColor" strokeWidth="4" />
          <path d="M16 8v8l6 4" fill="none" stroke="currentColor" strokeWidth="3.5" strokeLinecap="round" />
        </svg>
        <span className="brand-name">{t('title')}</span>
      </Link>
      <button type="button" className="search-button" onClick={onSearch}>
        <Icon name="search" />
        <span className="sr-only">{t('search')}</span>
        <span className="search-hint" aria-hidden="true">
          {t('searchHint')}
        </span>
        <kbd>/</kbd>
      </button>
      <div className="top-end">
        <LiveBadge />
        <ZoneMenu />
        <SettingsMenu onHelp={onHelp} />
        <AccountMenu session={session} />
      </div>
    </header>
  );
}

function ZoneMenu() {
  const t = useTranslations('shell');
  const { zone } = usePrefs();
  const [isAsking, setAsking] = useState(false);
  const words: Record<string, string> = {
    job: t('zoneJob'),
    utc: t('zoneUtc'),
    local: t('zoneLocal', { zone: localZone() }),
  };
  const short = zone === 'local' ? localZone() : (words[zone] ?? zone);
  return (
    <>
      <MenuTrigger>
        <Button className="button quiet zone">
          <Icon name="globe" />
          <span className="sr-only">
            {t('zone')}: {words[zone] ?? zone}
          </span>
          <span className="wide-only" aria-hidden="true">
            {short}
          </span>
          <Icon name="down" size={12} />
        </Button>
        <Popover className="popover" placement="bottom end">
          <Menu
            className="menu"
            aria-label={t('zone')}
            selectionMode="single"
            selectedKeys={[zone]}
            onAction={(key) => (key === 'other' ? setAsking(true) : setPrefs({ zone: String(key) }))}
          >
            {Object.entries(words).map(([key, word]) => (
              <Choice key={key} id={key}>
                {word}
              </Choice>
            ))}
            {words[zone] === undefined ? <Choice id={zone}>{zone}</Choice> : null}
            <MenuItem className="menu-item" id="other">
              {t('zoneOther')}
            </MenuItem>
          </Menu>
        </Popover>
      </MenuTrigger>
      <ZoneDialog isOpen={isAsking} onClose={() => setAsking(false)} />
    </>
  );
}

function Choice({ id, children }: { id: string; children: string }) {
  return (
    <MenuItem className="menu-item choice" id={id} textValue={children}>
      {({ isSelected }) => (
        <>
          <span className="tick">{isSelected && <Icon name="check" size={14} />}</span>
          {children}
        </>
      )}
    </MenuItem>
  );
}

function Section(props: {
  title: string;
  selected: string;
  choose: (key: string) => void;
  choices: readonly (readonly [string, string])[];
}) {
  return (
    <MenuSection
      selectionMode="single"
      disallowEmptySelection
      selectedKeys={[props.selected]}
      onSelectionChange={(keys) => {
        if (keys !== 'all') for (const key of keys) props.choose(String(key));
      }}
    >
      <Header>{props.title}</Header>
      {props.choices.map(([id, word]) => (
        <Choice key={id} id={id}>
          {word}
        </Choice>
      ))}
    </MenuSection>
  );
}

function SettingsMenu({ onHelp }: { onHelp: () => void }) {
  const t = useTranslations('shell');
  const { theme, locale, density, keys } = usePrefs();
  const themes = [
    ['auto', t('themeAuto')],
    ['light', t('themeLight')],
    ['dark', t('themeDark')],
  ] as const;
  const rows = [
    ['compact', t('densityCompact')],
    ['comfortable', t('densityComfortable')],
  ] as const;
  return (
    <MenuTrigger>
      <Button className="icon-button" aria-label={t('settings')}>
        <Icon name="settings" />
      </Button>
      <Popover className="popover" placement="bottom end">
        <Menu
          className="menu"
          aria-label={t('settings')}
          onAction={(key) => {
            if (key === 'help') onHelp();
          }}
        >
          <Section
            title={t('theme')}
            selected={theme}
            choose={(key) => setPrefs({ theme: key as Theme })}
            choices={themes}
          />
          <Section
            title={t('language')}
            selected={locale}
            choose={(key) => setPrefs({ locale: key as Locale })}
            choices={[
              ['en', 'English'],
              ['zh-CN', '简体中文'],
            ]}
          />
          <Section
            title={t('density')}
            selected={density}
            choose={(key) => setPrefs({ density: key as Density })}
            choices={rows}
          />
          <MenuSection
            selectionMode="multiple"
            selectedKeys={keys ? ['keys'] : []}
            onSelectionChange={(chosen) => setPrefs({ keys: chosen === 'all' || chosen.has('keys') })}
          >
            <Header>{t('keys')}</Header>
            <Choice id="keys">{t('keysOn')}</Choice>
          </MenuSection>
          <Separator className="separator" />
          <MenuItem className="menu-item choice" id="help">
            <span className="tick" />
            {t('help')}
          </MenuItem>
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

function AccountMenu({ session }: { session: Session }) {
  const t = useTranslations('shell');
  const logOut = useLogOut();
  const isOpen = session.token === '';
  const facts: ReactNode = isOpen ? (
    <>
      <strong>{t('open')}</strong>
      <span>{t('openHint')}</span>
    </>
  ) : (
    <>
      <strong className="mono">{session.token}</strong>
      <span>{t('role', { role: session.scope.role })}</span>
      <span>{t('scope', { namespaces: session.scope.namespaces.join(', ') || '–' })}</span>
    </>
  );
  return (
    <MenuTrigger>
      <Button className="button quiet account">
        <Icon name="user" />
        <span className="sr-only">{t('account')}</span>
        <span className="wide-only">{isOpen ? t('open') : session.scope.role}</span>
      </Button>
      <Popover className="popover" placement="bottom end">
        <div className="account-facts">{facts}</div>
        {!isOpen && (
          <Menu className="menu" aria-label={t('account')} onAction={() => void logOut()}>
            <MenuItem className="menu-item" id="out">
              {t('logOut')}
            </MenuItem>
          </Menu>
        )}
      </Popover>
    </MenuTrigger>
  );
}
