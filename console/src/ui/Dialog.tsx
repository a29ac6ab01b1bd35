import type { ReactNode } from 'react';
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { useTranslations } from 'use-intl';
import { Icon } from './icons.tsx';

interface DialogProps {
  title: string;
  isOpen: boolean;
  onClose: () => void;
  /** Asks whether something shall be done: it is closed by a decision, not by a click beside it. */
  asks?: boolean;
  wide?: boolean;
  children: ReactNode;
}

export function Dialog({ title, isOpen, onClose, asks = false, wide = false, children }: DialogProps) {
  const t = useTranslations('common');
  return (
    <ModalOverlay
      className="overlay"
      isOpen={isOpen}
      isDismissable={!asks}
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
    >
      <Modal className={wide ? 'modal wide' : 'modal'}>
        <AriaDialog className="dialog" role={asks ? 'alertdialog' : 'dialog'}>
          <header className="dialog-head">
            <Heading slot="title">{title}</Heading>
            <button type="button" className="icon-button" onClick={onClose} aria-label={t('close')}>
              <Icon name="close" />
            </button>
          </header>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}
