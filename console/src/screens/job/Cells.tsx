// Cells that a cursor goes through by arrow keys. What the cell says is read below them; Enter, or a press, opens it.
import { type KeyboardEvent, useRef, useState } from 'react';
import { useTranslations } from 'use-intl';
import { StateIcon } from '../../ui/icons.tsx';
import { toneOf } from '../../ui/State.tsx';
import { type Look, moved } from './cells.ts';

/** Verdicts that have a shape of their own; one that fired has the shape of its run, where that is known. */
const SHAPES: Record<Look['fill'], string> = {
  none: '',
  fired: 'M6.800 8h2.400',
  skipped: 'M3 8h10',
  missed: 'M8 2.500v11',
  cancelled: 'M3 13L13 3',
  redefined: 'M2.500 9c2-4 4-4 5.500-1s3.500 3 5.500-1',
};

const TONES: Record<Look['fill'], string> = {
  none: 'none',
  fired: 'running',
  skipped: 'quiet',
  missed: 'missed',
  cancelled: 'quiet',
  redefined: 'waiting',
};

export function CellLook({ look }: { look: Look }) {
  const shape = look.mark === '' ? SHAPES[look.fill] : '';
  const tone = look.mark === '' ? TONES[look.fill] : toneOf(look.mark);
  return (
    <span className={`cell fill-${look.fill} tone-${tone}${look.isLate ? ' is-late' : ''}`} aria-hidden="true">
      {look.mark !== '' && <StateIcon state={look.mark} size={10} />}
      {shape !== '' && (
        <svg
          viewBox="0 0 16 16"
          width={10}
          height={10}
          fill="none"
          stroke="currentColor"
          strokeWidth="2.4"
          aria-hidden="true"
        >
          <path d={shape} />
        </svg>
      )}
    </span>
  );
}

export interface CellOf {
  key: number;
  look: Look;
  /** Its name: the time. */
  name: string;
  /** What it says. */
  text: string;
}

interface CellsProps {
  label: string;
  cells: readonly CellOf[];
  /** The one that is open. */
  open: number | undefined;
  onOpen: (key: number) => void;
}

export function Cells({ label, cells, open, onOpen }: CellsProps) {
  const t = useTranslations('job');
  const box = useRef<HTMLDivElement>(null);
  const [cursor, setCursor] = useState<number | undefined>();
  const there = cells.findIndex(({ key }) => key === (cursor ?? open));
  const at = there < 0 ? cells.length - 1 : there;
  const said = cursor === undefined ? undefined : cells.find(({ key }) => key === cursor);
  const onKeyDown = (event: KeyboardEvent) => {
    const buttons = [...(box.current?.querySelectorAll('button') ?? [])];
    const top = buttons[0]?.offsetTop;
    const columns = Math.max(1, buttons.filter((one) => one.offsetTop === top).length);
    const next = moved(event.key, at, cells.length, columns);
    if (next === undefined) return;
    event.preventDefault();
    buttons[next]?.focus();
  };
  return (
    <>
      <div ref={box} role="group" aria-label={label} className="cells" onKeyDown={onKeyDown}>
        {cells.map(({ key, look, name }, index) => (
          <button
            key={key}
            type="button"
            className="cell-button"
            tabIndex={index === at ? 0 : -1}
            aria-label={name}
            aria-pressed={key === open}
            onFocus={() => setCursor(key)}
            onPointerEnter={() => setCursor(key)}
            onClick={() => onOpen(key)}
          >
            <CellLook look={look} />
          </button>
        ))}
      </div>
      <p role="status" className="cell-said">
        {said === undefined ? <span className="faint">{t('cellsHint')}</span> : `${said.name}: ${said.text}`}
      </p>
    </>
  );
}
