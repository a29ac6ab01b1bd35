import { useTranslations } from 'use-intl';
import { Dialog } from '../ui/Dialog.tsx';

export function Help({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const t = useTranslations('shell');
  const groups = [
    [
      t('everywhere'),
      [
        ['/', t('keysSearch')],
        ['g n', t('keysGoNow')],
        ['g j', t('keysGoJobs')],
        ['g r', t('keysGoRuns')],
        ['z', t('keysZone')],
        ['.', t('keysLive')],
        ['?', t('keysHelp')],
        ['Esc', t('keysClose')],
      ],
    ],
    [
      t('inLists'),
      [
        ['j k', t('keysRow')],
        ['Enter', t('keysOpen')],
      ],
    ],
    [
      t('onJob'),
      [
        ['p', t('keysPause')],
        ['t', t('keysRunNow')],
      ],
    ],
    [
      t('onRun'),
      [
        ['l', t('keysLog')],
        ['c', t('keysCancel')],
        ['t', t('keysRetry')],
      ],
    ],
  ] as const;
  return (
    <Dialog title={t('help')} isOpen={isOpen} onClose={onClose}>
      {groups.map(([title, keys]) => (
        <section key={title} className="help-group">
          <h3>{title}</h3>
          <dl>
            {keys.map(([key, what]) => (
              <div key={key}>
                <dt>
                  {key.split(' ').map((one) => (
                    <kbd key={one}>{one}</kbd>
                  ))}
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </Dialog>
  );
}
