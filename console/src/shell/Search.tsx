// One field for what somebody has in hand: the id of a run opens it, the beginning of a job's name opens it.
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, useState } from 'react';
import { useTranslations } from 'use-intl';
import { answered, api } from '../api/client.ts';
import { isRunId, nameOfPath, pathName } from '../api/names.ts';
import { Dialog } from '../ui/Dialog.tsx';
import { Icon } from '../ui/icons.tsx';

const SHOWN = 8;

interface Hit {
  key: string;
  title: string;
  name: string;
  go: () => void;
}

export function Search({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const t = useTranslations('shell');
  return (
    <Dialog title={t('search')} isOpen={isOpen} onClose={onClose} wide>
      <Field onClose={onClose} />
    </Dialog>
  );
}

function Field({ onClose }: { onClose: () => void }) {
  const t = useTranslations('shell');
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const sought = text.trim();
  const isId = isRunId(sought);
  const jobs = useQuery({
    queryKey: ['search', sought],
    queryFn: ({ signal }) =>
      answered(api.GET('/jobs', { params: { query: { prefix: sought, page_size: SHOWN } }, signal })),
    enabled: sought !== '' && !isId && /^[\w.\-/]+$/.test(sought),
    staleTime: 10_000,
    placeholderData: (before) => before,
  });
  const leave = (go: () => void) => () => {
    onClose();
    go();
  };
  const hits: Hit[] = [];
  if (isId) {
    const run = pathName(nameOfPath(sought));
    hits.push({
      key: 'run',
      title: t('openRun'),
      name: sought,
      go: leave(() => void navigate({ to: '/runs/$run', params: { run } })),
    });
  } else if (sought !== '') {
    for (const { name } of jobs.data?.items ?? []) {
      hits.push({
        key: name,
        title: t('openJob'),
        name,
        go: leave(() => void navigate({ to: '/jobs/$job', params: { job: pathName(name) } })),
      });
    }
  }
  const chosen = Math.min(at, Math.max(0, hits.length - 1));
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && hits.length > 0) {
      event.preventDefault();
      setAt((chosen + step + hits.length) % hits.length);
    }
    if (event.key === 'Enter') hits[chosen]?.go();
  };
  return (
    <div className="search">
      <input
        className="input large"
        role="combobox"
        aria-expanded={hits.length > 0}
        aria-controls="search-hits"
        aria-activedescendant={hits.length > 0 ? `hit-${chosen}` : undefined}
        aria-label={t('searchHint')}
        placeholder={t('searchHint')}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
        autoComplete="off"
        spellCheck={false}
        // biome-ignore lint/a11y/noAutofocus: the field is all there is in the dialog that somebody opened to write into it
        autoFocus
      />
      <div id="search-hits" role="listbox" aria-label={t('search')}>
        {hits.map((hit, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the field
          <div
            key={hit.key}
            id={`hit-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === chosen}
            className="hit"
            onClick={hit.go}
          >
            <Icon name={hit.key === 'run' ? 'runs' : 'jobs'} />
            <span className="mono untrusted">{hit.name}</span>
            <span className="faint">{hit.title}</span>
          </div>
        ))}
      </div>
      {hits.length === 0 && (
        <p className="faint" role="status">
          {sought === '' || jobs.isFetching ? t('searchStart') : t('searchEmpty')}
        </p>
      )}
    </div>
  );
}
