import { Link } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import type { components } from '../../api/schema';
import { usePrefs } from '../../prefs.ts';
import { CopyButton } from '../../ui/Copy.tsx';
import { Empty } from '../../ui/Loaded.tsx';
import { numberText } from '../../ui/text.ts';

type GroupNumbers = components['schemas']['GroupNumbers'];

const TRY = 'tickwheel worker';

export function Groups({ groups, isCut }: { groups: GroupNumbers[]; isCut: boolean }) {
  const t = useTranslations('now');
  const { locale } = usePrefs();
  const text = (amount: number) => numberText(amount, locale);
  return (
    <section className="panel" aria-labelledby="now-groups">
      <h2 id="now-groups">{t('groups')}</h2>
      {groups.length === 0 ? (
        <Empty title={t('noWorkers')}>
          <p>{t('noWorkersHint')}</p>
          <p className="command">
            <code>{TRY}</code>
            <CopyButton text={TRY} />
          </p>
        </Empty>
      ) : (
        <table className="grid">
          <thead>
            <tr>
              <th scope="col">{t('group')}</th>
              <th scope="col" className="end">
                {t('workers')}
              </th>
              <th scope="col">{t('permits')}</th>
              <th scope="col" className="end">
                {t('ready')}
              </th>
            </tr>
          </thead>
          <tbody>
            {groups.map(({ group, workers, permits, running, ready }) => (
              <tr key={group}>
                <th scope="row">
                  <Link to="/runs" search={{ group }} className="mono">
                    {group}
                  </Link>
                </th>
                <td className="end num">{text(workers)}</td>
                <td>
                  <span className="use">
                    <span className="use-bar" aria-hidden="true">
                      <span style={{ width: `${permits === 0 ? 0 : Math.min(100, (100 * running) / permits)}%` }} />
                    </span>
                    <span className="num">
                      {text(running)} / {text(permits)}
                    </span>
                  </span>
                </td>
                <td className="end num">
                  {workers === 0 && (ready ?? 0) > 0 && <span className="state tone-late">{t('nobody')}</span>}{' '}
                  {ready === null || ready === undefined ? '–' : text(ready)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {isCut && <p className="faint small">{t('cut')}</p>}
    </section>
  );
}
