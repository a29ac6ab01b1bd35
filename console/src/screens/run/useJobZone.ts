import { useQuery } from '@tanstack/react-query';
import { answered, api } from '../../api/client.ts';
import { knownZone } from '../../shell/ZoneDialog.tsx';

/** The zone in which a job's times are meant, as its document says; undefined: it has none, or is not to be seen. */
export function useJobZone(job: string): string | undefined {
  const { data } = useQuery({
    queryKey: ['job-zone', job],
    queryFn: async ({ signal }) => {
      const found = await answered(api.GET('/jobs/{job}', { params: { path: { job } }, signal }));
      const { spec } = found as { spec?: { time_zone?: unknown; trigger?: { time_zone?: unknown } } };
      const zone = spec?.time_zone ?? spec?.trigger?.time_zone;
      return typeof zone === 'string' ? (knownZone(zone) ?? null) : null;
    },
    enabled: job !== '',
    retry: false,
    staleTime: 300_000,
  });
  return data ?? undefined;
}
