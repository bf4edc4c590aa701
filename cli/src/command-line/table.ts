import { printable, type Terminal } from './terminal.ts'

export type Column<Row> = {
  title: string
  value: (row: Row) => string
  /** Numbers stand to the right. */
  align?: 'right'
}

const maxCellLength = 60

/** Prints rows under titles, aligned; in a pipe without titles and separated by tabs, for `cut` and `awk`. */
export function printTable<Row>(
  terminal: Terminal,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): void {
  if (!terminal.isInteractive) {
    for (const row of rows) terminal.out(columns.map((column) => clean(column.value(row))).join('\t'))
    return
  }
  const cells = rows.map((row) => columns.map((column) => cut(clean(column.value(row)))))
  const widths = columns.map((column, index) =>
    Math.max(column.title.length, ...cells.map((row) => row[index]?.length ?? 0)),
  )
  const line = (texts: readonly string[]) =>
    columns
      .map((column, index) => pad(texts[index] ?? '', widths[index] ?? 0, column.align))
      .join('  ')
      .trimEnd()
  terminal.out(terminal.paint('dim', line(columns.map((column) => column.title))))
  for (const row of cells) terminal.out(line(row))
}

/** Prints names and values below each other, aligned. */
export function printFields(terminal: Terminal, fields: readonly (readonly [string, string])[]): void {
  const width = Math.max(...fields.map(([name]) => name.length))
  for (const [name, value] of fields) {
    terminal.out(`${terminal.paint('dim', name.padEnd(width))}  ${clean(value)}`)
  }
}

function pad(text: string, width: number, align: 'right' | undefined): string {
  return align === 'right' ? text.padStart(width) : text.padEnd(width)
}

function clean(text: string): string {
  return printable(text).replace(/[\t\n]/g, ' ')
}

function cut(text: string): string {
  return text.length > maxCellLength ? `${text.slice(0, maxCellLength - 1)}…` : text
}
