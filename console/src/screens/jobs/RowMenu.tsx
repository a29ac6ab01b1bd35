// What can be done to a job in a row. What a role may not do stands there too, with what it lacks.
import { Button, Menu, MenuItem, MenuTrigger, Popover } from 'react-aria-components';
import { useTranslations } from 'use-intl';
import { useMay } from '../../api/session.ts';
import { Icon } from '../../ui/icons.tsx';
import type { Deed } from './Dialogs.tsx';
import type { Job } from './useJobs.ts';

export function RowMenu({ job, onAsk }: { job: Job; onAsk: (job: Job, deed: Deed) => void }) {
  const t = useTranslations('jobs');
  const may = {
    pause: useMay('PauseJob'),
    resume: useMay('ResumeJob'),
    run: useMay('RunJob'),
    delete: useMay('DeleteJob'),
  };
  const deeds: readonly Deed[] = ['run', job.state === 'paused' ? 'resume' : 'pause', 'delete'];
  return (
    <MenuTrigger>
      <Button className="icon-button" aria-label={t('deedsOf', { job: job.name })}>
        <Icon name="more" />
      </Button>
      <Popover className="popover" placement="bottom end">
        <Menu className="menu" aria-label={t('deedsOf', { job: job.name })}>
          {deeds.map((deed) => (
            <MenuItem
              key={deed}
              className={may[deed].may ? 'menu-item' : 'menu-item may-not'}
              textValue={t(deed)}
              onAction={() => {
                if (may[deed].may) onAsk(job, deed);
              }}
            >
              <span>{t(deed)}</span>
              {may[deed].why !== undefined && <span className="faint small">{may[deed].why}</span>}
            </MenuItem>
          ))}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
