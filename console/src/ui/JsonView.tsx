import { Button } from '@carbon/react'
import { useState } from 'react'
import { CopyButton } from './CopyButton.tsx'

const childrenPerPage = 100
const openDepth = 2
const maxTextChars = 400

type Props = { value: unknown; label: string }

/** JSON as a tree that opens where one looks; big lists come a hundred entries at a time. */
export function JsonView({ value, label }: Props) {
  if (value === undefined || value === null) return <p className="k-faint">Nothing.</p>
  return (
    <div className="k-json">
      <div className="k-json__copy">
        <CopyButton text={() => JSON.stringify(value, null, 2)} label={`Copy ${label}`} />
      </div>
      <Node value={value} depth={0} name={undefined} />
    </div>
  )
}

type NodeProps = { value: unknown; depth: number; name: string | undefined }

function Node({ value, depth, name }: NodeProps) {
  const [isOpen, setOpen] = useState(depth < openDepth)
  const [shown, setShown] = useState(childrenPerPage)
  const entries = entriesOf(value)
  if (entries === undefined || entries.length === 0) {
    return (
      <div className="k-json__row">
        <Name name={name} />
        <Leaf value={value} />
      </div>
    )
  }
  return (
    <details className="k-json__node" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Name name={name} />
        <span className="k-faint">
          {Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`}
        </span>
      </summary>
      {isOpen && (
        <div className="k-json__children">
          {entries.slice(0, shown).map(([key, child]) => (
            <Node key={key} name={key} value={child} depth={depth + 1} />
          ))}
          {entries.length > shown && (
            <Button kind="ghost" size="sm" onClick={() => setShown(shown + childrenPerPage)}>
              {`Show more (${entries.length - shown} left)`}
            </Button>
          )}
        </div>
      )}
    </details>
  )
}

function entriesOf(value: unknown): [string, unknown][] | undefined {
  return typeof value === 'object' && value !== null ? Object.entries(value) : undefined
}

function Name({ name }: { name: string | undefined }) {
  return name === undefined ? null : <span className="k-json__name">{name}: </span>
}

function Leaf({ value }: { value: unknown }) {
  const [isWhole, setWhole] = useState(false)
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const isCut = text.length > maxTextChars && !isWhole
  return (
    <span className={`k-json__leaf k-json__leaf--${value === null ? 'null' : typeof value}`}>
      {isCut ? `${text.slice(0, maxTextChars)}… ` : text}
      {isCut && (
        <button type="button" className="k-link" onClick={() => setWhole(true)}>
          {`all ${text.length} characters`}
        </button>
      )}
    </span>
  )
}
