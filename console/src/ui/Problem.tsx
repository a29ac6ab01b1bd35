import type { ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import { asProblem } from '../api/problem.ts';
import { Icon } from './icons.tsx';

const KNOWN = [
  'UNREACHABLE',
  'UNAUTHENTICATED',
  'PERMISSION_DENIED',
  'CSRF',
  'NOT_FOUND',
  'CONFLICT',
  'CHANGED',
  'INVALID',
  'EXHAUSTED',
  'UNAVAILABLE',
  'TIMEOUT',
] as const;
type Known = (typeof KNOWN)[number];

interface ProblemProps {
  error: unknown;
  again?: (() => void) | undefined;
  children?: ReactNode;
}

/** What went wrong: in words, rule by rule, and with the name under which the tracker's log has it. */
export function ProblemBox({ error, again, children }: ProblemProps) {
  const t = useTranslations('problems');
  const common = useTranslations('common');
  const problem = asProblem(error);
  const known = KNOWN.find((code) => code === problem.code) as Known | undefined;
  return (
    <div className="problem" role="alert">
      <Icon name="warning" size={18} />
      <div>
        <p className="problem-title">
          {known === undefined ? t('other') : t(known)}
          {problem.status > 0 && (
            <span className="code">
              {problem.status} {problem.code}
            </span>
          )}
        </p>
        {known === 'UNREACHABLE' ? <p>{t('UNREACHABLE_hint')}</p> : <p className="untrusted">{problem.detail}</p>}
        {problem.violations !== undefined && problem.violations.length > 0 && (
          <table className="violations">
            <thead>
              <tr>
                <th scope="col">{t('field')}</th>
                <th scope="col">{t('rule')}</th>
                <th scope="col">{t('given')}</th>
              </tr>
            </thead>
            <tbody>
              {problem.violations.map((one) => (
                <tr key={`${one.field} ${one.rule} ${one.given}`}>
                  <td className="mono">{one.field}</td>
                  <td>{one.rule}</td>
                  <td className="mono">{one.given}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        {children}
        {again !== undefined && (
          <button type="button" className="button" onClick={again}>
            {common('retry')}
          </button>
        )}
        {problem.request_id !== '' && (
          <p className="faint small">
            {t('request', { id: problem.request_id })} · {t('requestHint')}
          </p>
        )}
      </div>
    </div>
  );
}
