// biome-ignore-all lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable without a mouse.
// biome-ignore-all lint/a11y/useSemanticElements: rows are placed one by one, which the layout of <table> cannot do.
// biome-ignore-all lint/a11y/useFocusableInteractive: a row is reached through the link in it.
import { Checkbox } from '@carbon/react'
import { useVirtualizer } from '@tanstack/react-virtual'
import { type CSSProperties, type ReactNode, useEffect, useRef } from 'react'

export type Column<Row> = {
  key: string
  header: string
  /** A track of CSS grid, such as `minmax(12rem, 3fr)` or `9rem`. */
  width: string
  isNumeric?: boolean
  /** Only shown when it is chosen. */
  isExtra?: boolean
  render: (row: Row) => ReactNode
}

export type Selection = { ids: ReadonlySet<string>; onToggle: (id: string) => void }

type Props<Row> = {
  label: string
  rows: readonly Row[]
  columns: readonly Column<Row>[]
  rowId: (row: Row) => string
  rowLabel: (row: Row) => string
  total: number
  activeIndex: number
  onOpen: (row: Row) => void
  /** Left out: rows cannot be chosen. */
  selection: Selection | undefined
  /** Called when the end comes into sight. */
  onEnd: () => void
  footer?: ReactNode
}

type Tracks = CSSProperties & { '--k-row': string }

const rowHeightPx = 48
const cardHeightPx = 92
const rowsBeforeEnd = 20

/** A table of any length: only the rows in sight exist. On narrow screens each row becomes a card. */
export function VirtualTable<Row>(props: Props<Row>) {
  const { rows, columns, rowId, activeIndex, onEnd } = props
  const scroller = useRef<HTMLDivElement>(null)
  const isNarrow = useRef(matchMedia('(max-width: 42rem)'))
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => (isNarrow.current.matches ? cardHeightPx : rowHeightPx),
    overscan: 12,
    getItemKey: (index) => {
      const row = rows[index]
      return row === undefined ? index : rowId(row)
    },
  })
  const items = virtualizer.getVirtualItems()
  const lastIndex = items.at(-1)?.index ?? 0
  useEffect(() => {
    // A row is of another height as a card: what was measured for one would overlap as the other.
    const media = isNarrow.current
    const measure = () => virtualizer.measure()
    media.addEventListener('change', measure)
    return () => media.removeEventListener('change', measure)
  }, [virtualizer])
  useEffect(() => {
    if (lastIndex >= rows.length - rowsBeforeEnd) onEnd()
  }, [lastIndex, rows.length, onEnd])
  useEffect(() => {
    if (activeIndex >= 0) virtualizer.scrollToIndex(activeIndex, { align: 'auto' })
  }, [activeIndex, virtualizer])
  const tracks: Tracks = {
    gridTemplateColumns: `2.5rem ${columns.map(({ width }) => width).join(' ')}`,
    '--k-row': `${leastRem(columns)}rem`,
  }
  return (
    <section className="k-table" ref={scroller} tabIndex={0} aria-label={props.label}>
      <div role="table" aria-label={props.label} aria-rowcount={props.total + 1}>
        <TableHead columns={columns} tracks={tracks} />
        <div className="k-table__body" role="rowgroup" style={{ height: virtualizer.getTotalSize() }}>
          {items.map(({ index, start, size }) => {
            const row = rows[index]
            if (row === undefined) return null
            const style = { ...tracks, transform: `translateY(${start}px)`, height: size }
            return <TableRow key={rowId(row)} {...props} row={row} index={index} style={style} />
          })}
        </div>
      </div>
      {props.footer}
    </section>
  )
}

function TableHead<Row>({ columns, tracks }: { columns: readonly Column<Row>[]; tracks: Tracks }) {
  return (
    <div className="k-table__head" role="rowgroup">
      <div className="k-table__row" role="row" aria-rowindex={1} style={tracks}>
        <span role="columnheader">
          <span className="k-hidden">Select</span>
        </span>
        {columns.map(({ key, header, isNumeric }) => (
          <span key={key} role="columnheader" className={isNumeric ? 'k-table__number' : undefined}>
            {header}
          </span>
        ))}
      </div>
    </div>
  )
}

type RowProps<Row> = Props<Row> & { row: Row; index: number; style: CSSProperties }

function TableRow<Row>({ row, index, style, ...props }: RowProps<Row>) {
  const id = props.rowId(row)
  const isActive = index === props.activeIndex
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the row's link does the same by keyboard; this enlarges its target.
    <div
      className={isActive ? 'k-table__row k-table__row--active' : 'k-table__row'}
      role="row"
      tabIndex={-1}
      aria-rowindex={index + 2}
      style={style}
      onClick={(event) => !isControl(event.target) && props.onOpen(row)}
    >
      <span role="cell" className="k-table__check">
        {props.selection !== undefined && (
          <Checkbox
            id={`select-${id}`}
            labelText={`Select ${props.rowLabel(row)}`}
            hideLabel
            checked={props.selection.ids.has(id)}
            onChange={() => props.selection?.onToggle(id)}
          />
        )}
      </span>
      {props.columns.map(({ key, render, isNumeric }) => (
        <span key={key} role="cell" className={`k-table__cell--${key}${isNumeric ? ' k-table__number' : ''}`}>
          {render(row)}
        </span>
      ))}
    </div>
  )
}

/** How wide a row must be for its columns to keep their least widths, with the gaps between them. */
function leastRem(columns: readonly { width: string }[]): number {
  const widths = columns.map(({ width }) => Number(/[\d.]+(?=rem)/.exec(width)?.[0] ?? 0) + 1)
  return widths.reduce((sum, width) => sum + width, 2.5)
}

function isControl(target: EventTarget): boolean {
  return target instanceof Element && target.closest('a, button, input, label') !== null
}
