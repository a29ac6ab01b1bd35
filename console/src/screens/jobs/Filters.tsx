// The filters of the list: the beginning of names, and labels.
import { type FormEvent, useState } from 'react';
import { useTranslations } from 'use-intl';
import { Icon } from '../../ui/icons.tsx';
import { type JobsSearch, withLabel, withoutLabel } from './search.ts';

interface FiltersProps {
  search: JobsSearch;
  onChange: (search: JobsSearch) => void;
}

export function Filters({ search, onChange }: FiltersProps) {
  const t = useTranslations('jobs');
  return (
    <section className="job-filters" aria-label={t('filters')}>
      <Form key={JSON.stringify(search)} search={search} onChange={onChange} />
      {search.label !== undefined && (
        <ul className="job-labels" aria-label={t('labels')}>
          {search.label.map((label) => (
            <li key={label} className="label-set">
              <span className="mono untrusted">{label}</span>
              <button
                type="button"
                className="icon-button"
                onClick={() => onChange(withoutLabel(search, label))}
                aria-label={t('removeLabel', { label })}
              >
                <Icon name="close" size={12} />
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Form({ search, onChange }: FiltersProps) {
  const t = useTranslations('jobs');
  const [prefix, setPrefix] = useState(search.prefix ?? '');
  const [label, setLabel] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const { prefix: _, ...rest } = search;
    const next: JobsSearch = prefix.trim() === '' ? rest : { ...rest, prefix: prefix.trim() };
    onChange(label.trim() === '' ? next : withLabel(next, label.trim()));
  };
  return (
    <form className="job-form" onSubmit={submit} role="search">
      <label>
        <span className="sr-only">{t('prefix')}</span>
        <input
          className="input"
          value={prefix}
          onChange={(event) => setPrefix(event.target.value)}
          placeholder={t('prefix')}
          autoComplete="off"
          spellCheck={false}
        />
      </label>
      <label>
        <span className="sr-only">{t('label')}</span>
        <input
          className="input"
          value={label}
          onChange={(event) => setLabel(event.target.value)}
          placeholder={t('label')}
          autoComplete="off"
          spellCheck={false}
        />
      </label>
      <button type="submit" className="button">
        <Icon name="filter" size={14} />
        {t('apply')}
      </button>
      {(search.prefix !== undefined || search.label !== undefined) && (
        <button type="button" className="button quiet" onClick={() => onChange({})}>
          {t('clear')}
        </button>
      )}
    </form>
  );
}
