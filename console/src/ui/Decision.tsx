// What changes something: a button that says why it does nothing, and the question that comes before it does.
import type { ReactNode } from 'react';
import { Dialog } from './Dialog.tsx';
import { Icon, type Verb } from './icons.tsx';
import { ProblemBox } from './Problem.tsx';

interface VerbedProps {
  icon: Verb;
  word: string;
  may: boolean;
  why: string | undefined;
  act: () => void;
  isDanger?: boolean;
}

/** A button that says why it does nothing: it can be reached, and its reason read. */
export function Verbed({ icon, word, may, why, act, isDanger = false }: VerbedProps) {
  return (
    <button
      type="button"
      className={isDanger ? 'button danger' : 'button'}
      aria-disabled={!may}
      title={may ? undefined : why}
      aria-description={may ? undefined : why}
      onClick={() => {
        if (may) act();
      }}
    >
      <Icon name={icon} size={14} />
      {word}
    </button>
  );
}

interface DecisionProps {
  isOpen: boolean;
  title: string;
  doIt: string;
  leaveIt: string;
  isBusy: boolean;
  isDanger?: boolean;
  /** There is nothing to decide any more. */
  isOut?: boolean;
  error: unknown;
  onDo: () => void;
  onClose: () => void;
  copy: ReactNode;
  children: ReactNode;
}

export function Decision(props: DecisionProps) {
  return (
    <Dialog title={props.title} isOpen={props.isOpen} onClose={props.onClose} asks>
      {props.children}
      {props.error !== null && <ProblemBox error={props.error} />}
      <div className="actions decision">
        {props.copy}
        {/* biome-ignore lint/a11y/noAutofocus: what a hasty key does first is nothing */}
        <button type="button" className="button" onClick={props.onClose} autoFocus>
          {props.leaveIt}
        </button>
        {props.isOut !== true && (
          <button
            type="button"
            className={props.isDanger ? 'button danger primary' : 'button primary'}
            disabled={props.isBusy}
            onClick={props.onDo}
          >
            {props.doIt}
          </button>
        )}
      </div>
    </Dialog>
  );
}
