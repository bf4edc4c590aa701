import { stripVTControlCharacters } from 'node:util'
import type { Terminal } from './terminal.ts'

/** A few lines at the end of the terminal that are drawn anew; other output goes above them. */
export type LiveBlock = {
  draw(lines: readonly string[]): void
  above(line: string): void
  /** Leaves the last drawing where it is. */
  end(): void
}

const maxLines = 40
const eraseDown = '\u001b[0J'
const hideCursor = '\u001b[?25l'
const showCursor = '\u001b[?25h'

export function createLiveBlock(terminal: Terminal): LiveBlock {
  let drawn: readonly string[] = []
  const erase = () => (drawn.length > 0 ? `\u001b[${drawn.length}A${eraseDown}` : '')
  const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('')
  // Whatever ends the process, the user's cursor comes back.
  const restore = () => terminal.raw(showCursor)
  process.once('exit', restore)
  return {
    draw(lines) {
      const next = lines.slice(0, maxLines).map((line) => fit(line, terminal.columns - 1))
      terminal.raw(`${hideCursor}${erase()}${text(next)}`)
      drawn = next
    },
    above(line) {
      terminal.raw(`${erase()}${line}\n${text(drawn)}`)
    },
    end() {
      drawn = []
      restore()
      process.off('exit', restore)
    },
  }
}

/** A line that wraps would take two rows and leave one behind; colours go when it must be cut. */
function fit(line: string, columns: number): string {
  const plain = stripVTControlCharacters(line)
  return plain.length <= columns ? line : `${plain.slice(0, Math.max(0, columns - 1))}…`
}
