import type { NewRunEvent } from '@kyros/store/command'
import type { Store } from '@kyros/store/store'
import type { EngineClock } from './timers.ts'

export type JournalOptions = {
  store: Store
  clock: EngineClock
  runId: string
  /** `run_seq` of the last event of the run. */
  runSeq: number
  /** The engine's lease, where there is one. */
  epoch: () => number | undefined
  log: (level: 'warn' | 'error', message: string) => void
  /** The log and this memory differ for good: the run must be read again, or is no longer ours. */
  onLost: (error: unknown) => void
}

type Entry = {
  event: NewRunEvent
  whenDurable: (() => void) | undefined
  whenLost: ((error: unknown) => void) | undefined
}

// One write of a very wide run must not hold up the others of its batch.
const maxEventsPerWrite = 500
const longestPauseMs = 5000

/**
 * The tail of one run's log that is not yet on disk. One write at a time: what is pushed meanwhile is the next. Events
 * become durable in the order of `push`, and `whenDurable` runs only then.
 */
export class Journal {
  readonly #options: JournalOptions
  #pending: Entry[] = []
  #runSeq: number
  #writing: Promise<void> | undefined
  #lost = false
  #lastMs = 0

  constructor(options: JournalOptions) {
    this.#options = options
    this.#runSeq = options.runSeq
  }

  /** Time for the next event: the clock's, but never before the event ahead of it. */
  stampMs(): number {
    this.#lastMs = Math.max(this.#lastMs, this.#options.clock.nowMs())
    return this.#lastMs
  }

  /** So that times do not go back over a restart. */
  startFrom(timeMs: number): void {
    this.#lastMs = Math.max(this.#lastMs, timeMs)
  }

  push(event: NewRunEvent, whenDurable?: () => void, whenLost?: (error: unknown) => void): void {
    if (this.#lost) whenLost?.(new Error('The engine let go of this run.'))
    else this.#pending.push({ event, whenDurable, whenLost })
  }

  /** Writes what is pending unless a write is under way, which then goes on with it. */
  flush(): void {
    if (this.#writing !== undefined || this.#pending.length === 0) return
    this.#writing = this.#writeAll().finally(() => {
      this.#writing = undefined
    })
  }

  /** Resolves when all that was pushed is on disk or the run is lost. */
  async settled(): Promise<void> {
    this.flush()
    while (this.#writing !== undefined) await this.#writing
  }

  /** Writes nothing more. */
  drop(error: unknown): void {
    if (this.#lost) return
    this.#lost = true
    for (const entry of this.#pending) entry.whenLost?.(error)
    this.#pending = []
  }

  async #writeAll(): Promise<void> {
    let pauseMs = 50
    while (this.#pending.length > 0 && !this.#lost) {
      const entries = this.#pending.slice(0, maxEventsPerWrite)
      try {
        await this.#append(entries)
      } catch (error) {
        if (!mayPass(error)) return this.#lose(error)
        this.#options.log(
          'error',
          `Run ${this.#options.runId} cannot be written and tries again: ${String(error)}`,
        )
        await this.#options.clock.sleep(pauseMs)
        pauseMs = Math.min(longestPauseMs, pauseMs * 2)
        continue
      }
      this.#runSeq += entries.length
      this.#pending.splice(0, entries.length)
      for (const entry of entries) entry.whenDurable?.()
    }
  }

  async #append(entries: readonly Entry[]): Promise<void> {
    const { store, runId, epoch } = this.#options
    const lease = epoch()
    await store.write({
      kind: 'append_run_events',
      runId,
      events: entries.map((entry) => entry.event),
      expectedRunSeq: this.#runSeq,
      unlessEnded: true,
      ...(lease === undefined ? {} : { epoch: lease }),
    })
  }

  #lose(error: unknown): void {
    this.drop(error)
    this.#options.onLost(error)
  }
}

/** An outage may pass; that somebody else wrote, or that the run is gone, does not. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  return error.code === 'store_unavailable' || error.code === 'storage_full'
}
