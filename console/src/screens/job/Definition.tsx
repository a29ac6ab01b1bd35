// The document of a job as it was answered: numbers of any size, and the bytes of its payload, stay what they are.
import { useQuery } from '@tanstack/react-query';
import { useTranslations } from 'use-intl';
import { answered, api } from '../../api/client.ts';
import { CopyButton } from '../../ui/Copy.tsx';
import { Loaded, Skeleton } from '../../ui/Loaded.tsx';
import { visible } from '../../ui/text.ts';
import { memberOf, setOut } from './exact.ts';

export function Definition({ name, revision }: { name: string; revision: number }) {
  const t = useTranslations('job');
  const text = useQuery({
    queryKey: ['job', name, 'definition', revision],
    queryFn: ({ signal }) =>
      answered(api.GET('/jobs/{job}', { params: { path: { job: name } }, parseAs: 'text', signal })),
  });
  return (
    <Loaded of={text} skeleton={<Skeleton lines={8} />}>
      {(whole) => {
        const spec = setOut(memberOf(whole, 'spec') ?? '');
        return (
          <div className="definition">
            <div className="page-head">
              <p className="faint small">{t('definitionHint', { revision })}</p>
              <CopyButton text={spec} />
            </div>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keys */}
            <pre className="untrusted definition-text" tabIndex={0}>
              {visible(spec)}
            </pre>
          </div>
        );
      }}
    </Loaded>
  );
}
