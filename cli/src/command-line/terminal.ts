import { styleText } from 'node:util'

type Format = Parameters<typeof styleText>[0]

export type Stream = {
  write(text: string): boolean
  isTTY?: boolean
  columns?: number
}

/** Where a command writes. Results go to `out`, everything about them to `note`. */
export type Terminal = {
  /** Whether a person looks at the output: colours, spinners and redrawing are only for them. */
  readonly isInteractive: boolean
  readonly columns: number
  out(line: string): void
  /** Text without a line end, for redrawing. */
  raw(text: string): void
  note(line: string): void
  /** One JSON value on a line of its own. */
  json(value: unknown): void
  paint(format: Format, text: string): string
}

type TerminalOptions = {
  stdout: Stream
  stderr: Stream
  env: Readonly<Record<string, string | undefined>>
}

const defaultColumns = 100

export function createTerminal({ stdout, stderr, env }: TerminalOptions): Terminal {
  const isInteractive = stdout.isTTY === true && env.TERM !== 'dumb' && env.CI === undefined
  const hasColor = stdout.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb'
  return {
    isInteractive,
    // Asked each time: windows change their size, and some pretend to have none.
    get columns() {
      return stdout.columns || defaultColumns
    },
    out: (line) => void stdout.write(`${line}\n`),
    raw: (text) => void stdout.write(text),
    note: (line) => void stderr.write(`${line}\n`),
    json: (value) => void stdout.write(`${JSON.stringify(value)}\n`),
    paint: (format, text) => (hasColor ? styleText(format, text, { validateStream: false }) : text),
  }
}

/** Text from outside, safe to print: control characters that could move the cursor or ring are shown as `?`. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are exactly the characters to remove
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '?')
}
