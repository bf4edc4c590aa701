import { Button } from '@carbon/react'
import { type ReactNode, useEffect, useRef } from 'react'

type DialogProps = { label: string; className?: string; onClose: () => void; children: ReactNode }

/** The browser's own modal dialog: it keeps the focus inside, closes on Escape and gives the focus back. */
export function Dialog({ label, className = '', onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const element = dialog.current
    if (element !== null && !element.open) element.showModal()
  }, [])
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the click outside is a shortcut for Escape, which dialogs have.
    <dialog
      ref={dialog}
      className={`k-dialog ${className}`}
      aria-label={label}
      onClose={onClose}
      onClick={(event) => event.target === event.currentTarget && onClose()}
    >
      {children}
    </dialog>
  )
}

type ConfirmProps = {
  title: string
  children: ReactNode
  confirm: string
  isDangerous?: boolean
  isBusy?: boolean
  onConfirm: () => void
  onClose: () => void
}

/** Names what will happen before it does. */
export function ConfirmDialog({
  title,
  children,
  confirm,
  isDangerous,
  isBusy,
  onConfirm,
  onClose,
}: ConfirmProps) {
  return (
    <Dialog label={title} className="k-confirm" onClose={onClose}>
      <h2 className="k-confirm__title">{title}</h2>
      <div className="k-confirm__text">{children}</div>
      <div className="k-confirm__actions">
        <Button kind="secondary" onClick={onClose}>
          Not now
        </Button>
        <Button kind={isDangerous ? 'danger' : 'primary'} disabled={isBusy ?? false} onClick={onConfirm}>
          {confirm}
        </Button>
      </div>
    </Dialog>
  )
}
