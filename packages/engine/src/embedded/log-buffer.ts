import type { NewLogLine } from '@kyros/store/command'
import type { Store } from '@kyros/store/store'
import type { EngineClock, Timers } from './timers.ts'

const flushAfterMs = 100
const maxLinesPerRun = 10_000
const maxMessageChars = 16_384

export type RunLogParts = {
  readonly store: Pick<Store, 'write'>
  readonly log: (level: 'warn', message: string) => void
  readonly timers: Timers
  readonly clock: EngineClock
}

/** Log lines of one run, written in batches and cut after 10,000. */
export class RunLog {
  readonly #parts: RunLogParts
  readonly #runId: string
  #lines: NewLogLine[] = []
  #written = 0
  #timer: { cancel(): void } | undefined

  constructor(parts: RunLogParts, runId: string) {
    this.#parts = parts
    this.#runId = runId
  }

  get isEmpty(): boolean {
    return this.#lines.length === 0
  }

  add(line: NewLogLine): void {
    if (this.#written > maxLinesPerRun) return
    this.#written += 1
    if (this.#written > maxLinesPerRun) this.#lines.push({ ...line, level: 'warn', message: cutMessage })
    else this.#lines.push({ ...line, message: shortened(line.message) })
    const { timers, clock } = this.#parts
    this.#timer ??= timers.at(clock.nowMs() + flushAfterMs, () => void this.flush())
  }

  /** Hands what is buffered to the store now. Never rejects: a lost log line does not stop a run. */
  async flush(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    if (this.#lines.length === 0) return
    const lines = this.#lines
    this.#lines = []
    try {
      // The store's count includes the lines of earlier processes.
      const { lastLine } = await this.#parts.store.write({
        kind: 'append_log_lines',
        runId: this.#runId,
        lines,
      })
      this.#written = Math.max(this.#written, lastLine)
    } catch (error) {
      this.#parts.log('warn', `Log lines of run ${this.#runId} were lost: ${String(error)}`)
    }
  }
}

function shortened(message: string): string {
  return message.length > maxMessageChars ? `${message.slice(0, maxMessageChars)} (cut)` : message
}

const cutMessage = `The log of this run ends here: it has ${maxLinesPerRun} lines, and more are not kept.`
