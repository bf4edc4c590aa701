import { Button, TextArea } from '@carbon/react'
import { type FormEvent, type ReactNode, useId, useState } from 'react'
import { Dialog } from '../../../ui/Dialog.tsx'
import { ErrorState } from '../../../ui/PageState.tsx'

type Props = {
  title: string
  /** What the field is called. */
  label: string
  send: string
  isBusy: boolean
  error: Error | null
  onSend: (value: unknown) => void
  onClose: () => void
  /** More to fill in, above the value. */
  children?: ReactNode
}

/** Asks for a value that only the workflow knows the shape of: JSON, and null when nothing is typed. */
export function JsonDialog({ title, label, send, isBusy, error, onSend, onClose, children }: Props) {
  const id = useId()
  const [text, setText] = useState('')
  const parsed = parse(text)
  const onSubmit = (event: FormEvent) => {
    event.preventDefault()
    if (parsed !== undefined) onSend(parsed.value)
  }
  return (
    <Dialog label={title} className="k-confirm" onClose={onClose}>
      <form onSubmit={onSubmit}>
        <h2 className="k-confirm__title">{title}</h2>
        <div className="k-confirm__text k-confirm__fields">
          {children}
          <TextArea
            id={id}
            labelText={label}
            helperText='JSON, as the workflow takes it, for example {"ok": true}. Empty: null.'
            rows={5}
            className="k-form__code"
            value={text}
            invalid={parsed === undefined}
            invalidText="This is not JSON"
            onChange={(event) => setText(event.target.value)}
          />
          {error !== null && <ErrorState error={error} isCompact />}
        </div>
        <div className="k-confirm__actions">
          <Button kind="secondary" onClick={onClose}>
            Not now
          </Button>
          <Button type="submit" disabled={parsed === undefined || isBusy}>
            {send}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

function parse(text: string): { value: unknown } | undefined {
  if (text.trim() === '') return { value: null }
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}
