import Column from '@carbon/icons-react/es/Column.js'
import { Button, Checkbox } from '@carbon/react'
import { useState } from 'react'
import { Dialog } from '../ui/Dialog.tsx'

type Choice = { key: string; header: string }
type Props = {
  columns: readonly Choice[]
  shown: readonly Choice[]
  onToggle: (key: string) => void
  onReset: () => void
}

/** Which columns a list shows. The first names the row and stays. */
export function ColumnPicker({ columns, shown, onToggle, onReset }: Props) {
  const [isOpen, setOpen] = useState(false)
  return (
    <div className="k-list__columns">
      <Button kind="ghost" size="sm" renderIcon={Column} onClick={() => setOpen(true)}>
        Columns
      </Button>
      {isOpen && (
        <Dialog label="Columns of the list" className="k-confirm" onClose={() => setOpen(false)}>
          <h2 className="k-confirm__title">Columns</h2>
          <fieldset className="k-confirm__text">
            <legend className="k-hidden">Columns to show</legend>
            {columns.map(({ key, header }, index) => (
              <Checkbox
                key={key}
                id={`column-${key}`}
                labelText={header}
                checked={shown.some((column) => column.key === key)}
                disabled={index === 0}
                onChange={() => onToggle(key)}
              />
            ))}
          </fieldset>
          <div className="k-confirm__actions">
            <Button kind="secondary" onClick={onReset}>
              As at first
            </Button>
            <Button onClick={() => setOpen(false)}>Done</Button>
          </div>
        </Dialog>
      )}
    </div>
  )
}
