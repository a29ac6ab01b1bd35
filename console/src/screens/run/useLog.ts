import { useEffect, useState } from 'react';
import { answered, api } from '../../api/client.ts';
import type { components } from '../../api/schema';
import { useTopic } from '../../live/use.ts';
import { usePrefs } from '../../prefs.ts';
import { hasEnded } from '../../ui/State.tsx';
import { type Lines, type LogLine, NOTHING, withLines } from './lines.ts';
import type { Run } from './RunPage.tsx';

type LogLines = components['schemas']['LogLines'];

/** All that is kept of a log that does not grow any more. */
async function whole(run: string, signal: AbortSignal): Promise<{ lines: LogLine[]; lost: number }> {
  const lines: LogLine[] = [];
  let lost = 0;
  let cursor = '';
  for (;;) {
    const query = cursor === '' ? {} : { cursor };
    const page = await answered(api.GET('/runs/{run}/log', { params: { path: { run }, query }, signal }));
    lines.push(...page.items);
    lost += page.lost;
    if (page.items.length === 0 || page.next_cursor === '' || page.next_cursor === cursor) return { lines, lost };
    cursor = page.next_cursor;
  }
}

/** What a run said: by the stream while it runs, by pages when it is over, or when nothing is followed. */
export function useLog(run: Run): { log: Lines; lost: number; error: unknown; isLive: boolean } {
  const { live } = usePrefs();
  const isOver = hasEnded(run.state);
  const isLive = live && !isOver;
  const [log, setLog] = useState<Lines>(NOTHING);
  const [lost, setLost] = useState(0);
  const [error, setError] = useState<unknown>();
  useTopic(isLive ? `log:${run.id}` : undefined, (event) => {
    if (event === undefined) {
      setLog(NOTHING);
      return;
    }
    if (event.event !== 'log') return;
    const said = JSON.parse(event.data) as LogLines;
    setLog((before) => withLines(before, said.lines, said.ended));
  });
  const { id } = run;
  useEffect(() => {
    if (isLive) return undefined;
    const stopping = new AbortController();
    whole(id, stopping.signal).then(
      (page) => {
        setError(undefined);
        setLost(page.lost);
        setLog(withLines(NOTHING, page.lines, isOver));
      },
      (why: unknown) => {
        if (!stopping.signal.aborted) setError(why);
      },
    );
    return () => stopping.abort();
  }, [id, isLive, isOver]);
  return { log, lost, error, isLive };
}
