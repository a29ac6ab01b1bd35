// A token is pasted, or came as the code of a link behind `#`, where no server and no log sees it.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { useTranslations } from 'use-intl';
import { openWithCode, openWithToken, SESSION, type Session, useSession } from '../../api/session.ts';
import { useTitle } from '../../shell/title.ts';
import { ProblemBox } from '../../ui/Problem.tsx';

/** The code of the link that was opened; it is taken out of the address at once. */
function takeCode(): string | undefined {
  const code = location.hash.slice(1);
  if (code === '') return undefined;
  history.replaceState(history.state, '', location.pathname + location.search);
  return code;
}

export function Login() {
  const t = useTranslations('login');
  const shell = useTranslations('shell');
  const { next } = useSearch({ from: '/login' });
  const navigate = useNavigate();
  const queries = useQueryClient();
  const session = useSession();
  const [token, setToken] = useState('');
  const [isEmpty, setEmpty] = useState(false);
  const code = useRef<string | undefined>(undefined);
  useTitle(t('title'));

  const entered = (opened: Session) => {
    queries.clear();
    queries.setQueryData(SESSION, opened);
    void navigate({ to: next ?? '/', replace: true });
  };
  const byToken = useMutation({ mutationFn: openWithToken, onSuccess: entered });
  const byCode = useMutation({ mutationFn: openWithCode, onSuccess: entered });
  const openCode = byCode.mutate;
  useEffect(() => {
    // A code is good once, so it is shown once, whatever React does.
    if (code.current !== undefined) return;
    code.current = takeCode() ?? '';
    if (code.current !== '') openCode(code.current);
  }, [openCode]);
  // Whoever is in already, or needs no token, has nothing to do here.
  const isIn = session.data !== undefined && byCode.isIdle && byToken.isIdle;
  useEffect(() => {
    if (isIn) void navigate({ to: next ?? '/', replace: true });
  }, [isIn, navigate, next]);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const pasted = token.trim();
    setEmpty(pasted === '');
    if (pasted !== '') byToken.mutate(pasted);
  };
  return (
    <main className="login">
      <form onSubmit={submit} className="panel form" aria-busy={byToken.isPending}>
        <p className="brand">
          <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
            <circle cx="16" cy="16" r="13" fill="none" stroke="currentColor" strokeWidth="4" />
            <path d="M16 8v8l6 4" fill="none" stroke="currentColor" strokeWidth="3.5" strokeLinecap="round" />
          </svg>
          {shell('title')}
        </p>
        <h1>{t('title')}</h1>
        {next !== undefined && <p role="status">{t('ended')}</p>}
        {byCode.isPending ? (
          <p role="status">{t('codeBusy')}</p>
        ) : (
          <>
            {byCode.isError && (
              <ProblemBox error={byCode.error}>
                <p>{t('codeFailed')}</p>
              </ProblemBox>
            )}
            <p className="faint">{t('intro')}</p>
            <label>
              {t('token')}
              <input
                className="input mono"
                type="password"
                name="token"
                autoComplete="off"
                spellCheck={false}
                value={token}
                onChange={(event) => setToken(event.target.value)}
                aria-describedby="token-hint"
                aria-invalid={isEmpty}
              />
            </label>
            <p className="faint small" id="token-hint">
              {t('tokenHint', { command: 'tickwheel token make' })}
            </p>
            {isEmpty && (
              <p className="wrong" role="alert">
                {t('empty')}
              </p>
            )}
            {byToken.isError && <ProblemBox error={byToken.error} />}
            <button type="submit" className="button primary" disabled={byToken.isPending}>
              {byToken.isPending ? t('busy') : t('submit')}
            </button>
          </>
        )}
      </form>
    </main>
  );
}
