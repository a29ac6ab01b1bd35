// Rows of runs; only those in sight are in the document. On a phone each is a card.
import { Link, useNavigate } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { pathName, shortened } from '../../api/names.ts';
import { usePrefs } from '../../prefs.ts';
import { Time, Took } from '../../time/Time.tsx';
import { useNarrow, useRows } from '../../ui/rows.ts';
import { hasEnded, StateBadge } from '../../ui/State.tsx';
import { visible } from '../../ui/text.ts';
import type { Run } from './useRuns.ts';

const CARD_HIGH = 108;

export function Table({ rows }: { rows: readonly Run[] }) {
  const t = useTranslations('runs');
  const { density } = usePrefs();
  const navigate = useNavigate();
  const isNarrow = useNarrow();
  const high = isNarrow ? CARD_HIGH : density === 'compact' ? 32 : 44;
  const { body, virtual, offset, chosen } = useRows(
    rows,
    high,
    ({ id }) => id,
    (run) => {
      void navigate({ to: '/runs/$run', params: { run: pathName(run.id) } });
    },
  );
  const columns = ['State', 'Run', 'Due', 'Started', 'Took', 'Attempt', 'Worker', 'Remark'] as const;
  return (
    <div className="run-table" role="table" aria-label={t('title')} aria-rowcount={rows.length + 1}>
      <div role="rowgroup" className="run-head">
        <div role="row" className="run-row" aria-rowindex={1}>
          {columns.map((column) => (
            <span key={column} role="columnheader" className={`cell-${column}`}>
              {t(`column${column}`)}
            </span>
          ))}
        </div>
      </div>
      <div role="rowgroup" ref={body} className="run-body" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, key, start }) => {
          const run = rows[index];
          return (
            run !== undefined && (
              <div
                key={key}
                role="row"
                aria-rowindex={index + 2}
                className={index === chosen ? 'run-row chosen' : 'run-row'}
                style={{ height: high, transform: `translateY(${start - offset}px)` }}
              >
                <Cells run={run} isNarrow={isNarrow} />
              </div>
            )
          );
        })}
      </div>
    </div>
  );
}

/** How far something is, or why it is not further. */
function remark(run: Run): string {
  if (run.state === 'running' && (run.progress_percent > 0 || run.progress_message !== '')) {
    return `${run.progress_percent} % ${run.progress_message}`;
  }
  return run.error || run.waiting_reason;
}

function Cells({ run, isNarrow }: { run: Run; isNarrow: boolean }) {
  const t = useTranslations('runs');
  // A card has no place of its own for the worker.
  const said = visible(remark(run) || (isNarrow ? run.worker : ''));
  const name = run.job || run.handler;
  return (
    <>
      <span role="cell" className="cell-State">
        <StateBadge state={run.state} />
      </span>
      <span role="cell" className="cell-Run">
        <Link to="/runs/$run" params={{ run: pathName(run.id) }} title={run.id} className="run-link">
          <span className="run-name">{name || t('alone')}</span>
          <span className="faint mono run-id">{shortened(run.id.split('@')[0] ?? run.id, 24)}</span>
        </Link>
      </span>
      <span role="cell" className="cell-Due">
        <Time ms={run.due_ms} />
      </span>
      <span role="cell" className="cell-Started">
        {run.claimed_ms > 0 && run.attempt <= 1 && run.due_ms > 0 ? (
          <Took from={run.due_ms} to={Math.max(run.claimed_ms, run.due_ms)} />
        ) : (
          <span className="faint">–</span>
        )}
      </span>
      <span role="cell" className="cell-Took">
        {run.claimed_ms > 0 && (hasEnded(run.state) || run.state === 'running') ? (
          <Took from={run.claimed_ms} to={run.ended_ms} />
        ) : (
          <span className="faint">–</span>
        )}
      </span>
      <span role="cell" className="cell-Attempt num">
        {run.attempt || '–'}
      </span>
      <span role="cell" className="cell-Worker mono">
        {run.worker || '–'}
      </span>
      <span role="cell" className="cell-Remark untrusted" title={said}>
        {said}
      </span>
    </>
  );
}
