/** Text of a file with quick ways between offsets, lines and columns. */
export class SourceText {
  #text: string
  readonly #lineStarts: number[] = [0]

  constructor(text: string) {
    this.#text = text
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1))
      this.#lineStarts.push(at + 1)
  }

  get text(): string {
    return this.#text
  }

  /** Keeps the places of lines and gives up the text. */
  release(): void {
    this.#text = ''
  }

  get lineCount(): number {
    return this.#lineStarts.length
  }

  /** From 1. */
  lineAt(offset: number): number {
    let low = 0
    let high = this.#lineStarts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return low + 1
  }

  /** From 1, in UTF-16 code units. */
  columnAt(offset: number): number {
    return offset - (this.#lineStarts[this.lineAt(offset) - 1] ?? 0) + 1
  }

  lineStart(line: number): number {
    return this.#lineStarts[line - 1] ?? this.text.length
  }

  /** Without its line break. */
  line(line: number): string {
    const end = this.#lineStarts[line]
    return this.text.slice(this.lineStart(line), end === undefined ? undefined : end - 1).replace(/\r$/, '')
  }
}

/** The same text in memory of its own: a part of a text otherwise keeps the whole one alive. */
export function detached(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le')
}
