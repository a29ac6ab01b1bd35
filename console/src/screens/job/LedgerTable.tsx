// The same due times as rows.
import { Link } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { pathName } from '../../api/names.ts';
import { usePrefs } from '../../prefs.ts';
import { durationText } from '../../time/format.ts';
import { Time } from '../../time/Time.tsx';
import { StateBadge } from '../../ui/State.tsx';
import { visible } from '../../ui/text.ts';
import { CellLook } from './Cells.tsx';
import { isVerdict, type LedgerRecord, lateness, lookOf } from './cells.ts';

interface LedgerTableProps {
  records: readonly LedgerRecord[];
  states: ReadonlyMap<string, string>;
  jobZone: string | undefined;
}

export function LedgerTable({ records, states, jobZone }: LedgerTableProps) {
  const t = useTranslations('job');
  const { locale } = usePrefs();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keys
    <div className="scrolls ledger-rows" role="region" aria-label={t('dues')} tabIndex={0}>
      <table className="grid">
        <thead>
          <tr>
            <th scope="col">{t('columnDue')}</th>
            <th scope="col">{t('columnVerdict')}</th>
            <th scope="col" className="end">
              {t('columnLate')}
            </th>
            <th scope="col">{t('columnReason')}</th>
            <th scope="col">{t('columnRun')}</th>
          </tr>
        </thead>
        <tbody>
          {records.map((record) => {
            const late = lateness(record);
            const state = states.get(record.run_id);
            return (
              <tr key={`${record.due_ms} ${record.verdict} ${record.decided_ms}`}>
                <th scope="row">
                  <Link
                    from="/jobs/$job"
                    to="/jobs/$job"
                    search={(before) => ({ ...before, at: String(record.due_ms) })}
                    replace
                  >
                    <Time ms={record.due_ms} jobZone={jobZone} precision="millisecond" />
                  </Link>
                  {record.count > 1 && <span className="faint"> {t('inRow', { count: record.count })}</span>}
                </th>
                <td>
                  <span className="ledger-verdict">
                    <CellLook look={lookOf(record, states)} />
                    {isVerdict(record.verdict) ? t(record.verdict) : record.verdict}
                  </span>
                </td>
                <td className="end num">{late === undefined ? '–' : durationText(late, locale)}</td>
                <td className="mono untrusted">{visible(record.reason)}</td>
                <td>
                  {record.run_id !== '' && (
                    <Link to="/runs/$run" params={{ run: pathName(record.run_id) }}>
                      {state === undefined ? t('openRun') : <StateBadge state={state} />}
                    </Link>
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
