// The filters: states by a press, the rest in a form, and each that is set as a word that can be taken away.
import { type FormEvent, useState } from 'react';
import { useTranslations } from 'use-intl';
import { Icon } from '../../ui/icons.tsx';
import { STATES, StateBadge } from '../../ui/State.tsx';
import { filters, type RunsSearch, WORDS } from './search.ts';

const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]*(\/[A-Za-z0-9_][A-Za-z0-9._-]*)*$/;
const INSTANT = /^(\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:\d{2})|\d{1,16})$/;

type Word = (typeof WORDS)[number];
const isTime = (key: Word) => key.endsWith('_from') || key.endsWith('_to');

/** Whether a field may be asked for; the server has the last word. */
export function isRight(key: Word, value: string): boolean {
  if (value === '' || key === 'error' || key === 'worker') return true;
  return (isTime(key) ? INSTANT : NAME).test(value);
}

interface FiltersProps {
  search: RunsSearch;
  onChange: (search: RunsSearch) => void;
}

interface ToolsProps extends FiltersProps {
  isOpen: boolean;
  onOpen: (isOpen: boolean) => void;
}

/** The order, and what opens the form. */
export function Tools({ search, onChange, isOpen, onOpen }: ToolsProps) {
  const t = useTranslations('runs');
  return (
    <>
      <label className="order">
        <span className="sr-only">{t('order')}</span>
        <select
          className="input"
          value={search.order ?? ''}
          onChange={(event) => {
            const { order: _, ...rest } = search;
            const order = event.target.value;
            onChange(order === 'ended' || order === 'due' ? { ...rest, order } : rest);
          }}
        >
          <option value="">{t('orderAll')}</option>
          <option value="ended">{t('orderEnded')}</option>
          <option value="due">{t('orderDue')}</option>
        </select>
      </label>
      <button type="button" className="button" aria-expanded={isOpen} onClick={() => onOpen(!isOpen)}>
        <Icon name="filter" size={14} />
        {t('filters')}
      </button>
    </>
  );
}

export function Filters({ search, onChange, isOpen, onOpen }: ToolsProps) {
  const t = useTranslations('runs');
  const toggle = (state: (typeof STATES)[number]) => {
    const { state: there = [], ...rest } = search;
    const next = there.includes(state) ? there.filter((one) => one !== state) : [...there, state];
    onChange(next.length === 0 ? rest : { ...rest, state: next });
  };
  const without = (key: Word) => {
    const { [key]: _, ...rest } = search;
    onChange(rest);
  };
  const set = WORDS.filter((key) => search[key] !== undefined);
  return (
    <section className="filters" aria-label={t('filters')}>
      <fieldset className="chips">
        <legend className="sr-only">{t('states')}</legend>
        {STATES.map((state) => (
          <button
            key={state}
            type="button"
            className="chip"
            aria-pressed={search.state?.includes(state) ?? false}
            onClick={() => toggle(state)}
          >
            <StateBadge state={state} />
          </button>
        ))}
      </fieldset>
      {isOpen && (
        <Form
          key={JSON.stringify(search)}
          search={search}
          onChange={(next) => {
            onOpen(false);
            onChange(next);
          }}
        />
      )}
      {filters(search) > 0 && (
        <div className="set">
          {set.map((key) => (
            <span key={key} className="set-word">
              <span className="faint">{t(key)}</span> <span className="mono untrusted">{search[key]}</span>
              <button
                type="button"
                className="icon-button"
                onClick={() => without(key)}
                aria-label={t('remove', { name: t(key) })}
              >
                <Icon name="close" size={12} />
              </button>
            </span>
          ))}
          <button
            type="button"
            className="button quiet small"
            onClick={() => onChange(search.order === undefined ? {} : { order: search.order })}
          >
            {t('clear')}
          </button>
        </div>
      )}
    </section>
  );
}

function Form({ search, onChange }: FiltersProps) {
  const t = useTranslations('runs');
  const [given, setGiven] = useState<Partial<Record<Word, string>>>(() =>
    Object.fromEntries(WORDS.map((key) => [key, search[key] ?? ''])),
  );
  const [isChecked, setChecked] = useState(false);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setChecked(true);
    if (WORDS.some((key) => !isRight(key, (given[key] ?? '').trim()))) return;
    const next: RunsSearch = {};
    if (search.state !== undefined) next.state = search.state;
    if (search.order !== undefined) next.order = search.order;
    for (const key of WORDS) {
      const value = (given[key] ?? '').trim();
      if (value !== '') next[key] = value;
    }
    onChange(next);
  };
  return (
    <form className="panel form filter-form" onSubmit={submit} noValidate>
      {WORDS.map((key) => {
        const value = given[key] ?? '';
        const isWrong = isChecked && !isRight(key, value.trim());
        return (
          <label key={key}>
            {t(key)}
            <input
              className="input"
              value={value}
              onChange={(event) => setGiven({ ...given, [key]: event.target.value })}
              aria-invalid={isWrong}
              aria-describedby={isWrong ? `${key}-wrong` : undefined}
              placeholder={isTime(key) ? '2026-03-29T02:30:00Z' : undefined}
              autoComplete="off"
              spellCheck={false}
            />
            {isWrong && (
              <span className="wrong small" id={`${key}-wrong`} role="alert">
                {isTime(key) ? t('timeWrong') : t('nameWrong')}
              </span>
            )}
          </label>
        );
      })}
      <div className="actions">
        <button type="submit" className="button primary">
          {t('apply')}
        </button>
      </div>
    </form>
  );
}
