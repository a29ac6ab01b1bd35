import { type FormEvent, useState } from 'react';
import { useTranslations } from 'use-intl';
import { setPrefs } from '../prefs.ts';
import { Dialog } from '../ui/Dialog.tsx';

/** The name of a zone as the browser knows it; undefined: it knows none. */
export function knownZone(name: string): string | undefined {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name.trim() }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

export function ZoneDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const t = useTranslations('shell');
  const [name, setName] = useState('');
  const [wrong, setWrong] = useState<string | undefined>();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const zone = name.trim() === '' ? undefined : knownZone(name);
    if (zone === undefined) {
      setWrong(name);
      return;
    }
    setPrefs({ zone });
    setWrong(undefined);
    onClose();
  };
  return (
    <Dialog title={t('zone')} isOpen={isOpen} onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <label>
          {t('zoneName')}
          <input
            className="input"
            list="zones"
            value={name}
            onChange={(event) => setName(event.target.value)}
            placeholder="Europe/Berlin"
            aria-invalid={wrong !== undefined}
            aria-describedby={wrong === undefined ? undefined : 'zone-wrong'}
            autoComplete="off"
            spellCheck={false}
          />
        </label>
        <datalist id="zones">
          {Intl.supportedValuesOf('timeZone').map((zone) => (
            <option key={zone} value={zone} />
          ))}
        </datalist>
        {wrong !== undefined && (
          <p className="wrong" id="zone-wrong" role="alert">
            {t('zoneWrong', { zone: wrong })}
          </p>
        )}
        <div className="actions">
          <button type="submit" className="button primary">
            {t('zoneSet')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
