import type { NewLogLine } from '@kyros/store/command'
import type { Store } from '@kyros/store/store'
import type { EngineClock, Timers } from './timers.ts'

const flushAfterMs = 100
const maxLinesPerRun = 10_000
const maxMessageChars = 16_384

export type RunLog = {
  add(line: NewLogLine): void
  /** Hands what is buffered to the store now. Never rejects: a lost log line does not stop a run. */
  flush(): Promise<void>
}

/** Log lines of one run, written in batches and cut after 10,000. */
export function createRunLog(options: {
  store: Store
  runId: string
  timers: Timers
  clock: EngineClock
  onError: (error: unknown) => void
}): RunLog {
  const { store, runId, timers, clock } = options
  let lines: NewLogLine[] = []
  let written = 0
  let timer: { cancel(): void } | undefined

  const flush = async () => {
    timer?.cancel()
    timer = undefined
    if (lines.length === 0) return
    const batch = lines
    lines = []
    try {
      // The store's count includes the lines of earlier processes.
      const { lastLine } = await store.write({ kind: 'append_log_lines', runId, lines: batch })
      written = Math.max(written, lastLine)
    } catch (error) {
      options.onError(error)
    }
  }

  return {
    flush,
    add: (line) => {
      if (written > maxLinesPerRun) return
      written += 1
      const message =
        line.message.length > maxMessageChars
          ? `${line.message.slice(0, maxMessageChars)} (cut)`
          : line.message
      const cut = written > maxLinesPerRun
      lines.push(cut ? { ...line, level: 'warn', message: cutMessage } : { ...line, message })
      timer ??= timers.at(clock.nowMs() + flushAfterMs, flush)
    },
  }
}

const cutMessage = `The log of this run ends here: it has ${maxLinesPerRun} lines, and more are not kept.`
