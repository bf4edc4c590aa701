import { type ProblemError, problem } from '@kyros/contract/problem'
import type { NewRunEvent, RunAppend } from '@kyros/store/command'
import type { JournalWriter, Pages } from './journal-writer.ts'
import type { EngineClock } from './timers.ts'

export type JournalParts = { readonly writer: JournalWriter; readonly clock: EngineClock }

/** Whose journal it is. */
export type JournalOwner = {
  readonly facts: { readonly runId: string }
  /** The log and this memory differ for good: the run must be read again, or is no longer ours. */
  onLost(error: unknown): void
}

type Entry = {
  event: NewRunEvent
  whenDurable: (() => void) | undefined
  whenLost: ((error: unknown) => void) | undefined
}

// One write of a very wide run must not hold up the others of its batch.
const maxEventsPerWrite = 500

/**
 * The tail of one run's log that is not yet on disk. Events become durable in the order of `push`, and `whenDurable`
 * runs only then.
 */
export class Journal implements Pages {
  readonly #parts: JournalParts
  readonly #owner: JournalOwner
  #pending: Entry[] = []
  #writing: Entry[] | undefined
  #runSeq: number
  #lost: { error: unknown } | undefined
  /** Nothing more is taken; what was pushed goes its way. */
  #sealed: { error: unknown } | undefined
  #lastMs = 0
  #settled: (() => void)[] | undefined
  /** The run is not committed yet: what it says is part of the write that makes it. */
  #held = false

  /** `runSeq` of the last event of the run. */
  constructor(parts: JournalParts, owner: JournalOwner, runSeq: number) {
    this.#parts = parts
    this.#owner = owner
    this.#runSeq = runSeq
  }

  /** Number of the last event that is on disk. */
  get runSeq(): number {
    return this.#runSeq
  }

  get isSettled(): boolean {
    return this.#writing === undefined && this.#pending.length === 0
  }

  /** Time for the next event: the clock's, but never before the event ahead of it. */
  stampMs(): number {
    this.#lastMs = Math.max(this.#lastMs, this.#parts.clock.nowMs())
    return this.#lastMs
  }

  /** So that times do not go back over a restart. */
  startFrom(timeMs: number): void {
    this.#lastMs = Math.max(this.#lastMs, timeMs)
  }

  push(event: NewRunEvent, whenDurable?: () => void, whenLost?: (error: unknown) => void): void {
    const refused = this.#lost ?? this.#sealed
    if (refused !== undefined) {
      whenLost?.(refused.error)
      return
    }
    this.#pending.push({ event, whenDurable, whenLost })
    if (this.#writing === undefined && !this.#held) this.#parts.writer.add(this)
  }

  /** What was pushed by now is the last that this engine says of the run. */
  seal(error: unknown): void {
    this.#sealed = { error }
  }

  /** From here on nothing is handed to the writer, until `born`. */
  hold(): void {
    this.#held = true
  }

  /** What was pushed while held: somebody else writes it together with the run. */
  takeHeld(): NewRunEvent[] {
    this.#writing = this.#pending
    this.#pending = []
    return this.#writing.map((entry) => entry.event)
  }

  /** The run is on disk, with what `takeHeld` gave. */
  born(): void {
    this.#held = false
    this.written()
  }

  /** Resolves when all that was pushed is on disk or the run is lost. */
  settled(): Promise<void> {
    this.#parts.writer.flush()
    if (this.isSettled) return Promise.resolve()
    return new Promise((resolve) => {
      this.#settled ??= []
      this.#settled.push(resolve)
    })
  }

  /** Calls back when all that was pushed by now is on disk, or the run is lost. */
  whenWritten(done: () => void, lost: (error: unknown) => void): void {
    const last = this.#pending.at(-1) ?? this.#writing?.at(-1)
    if (this.#lost !== undefined) {
      lost(this.#lost.error)
    } else if (last === undefined) {
      done()
    } else {
      const { whenDurable, whenLost } = last
      last.whenDurable = () => {
        whenDurable?.()
        done()
      }
      last.whenLost = (error) => {
        whenLost?.(error)
        lost(error)
      }
    }
  }

  /** Writes nothing more; what is under way still gets its outcome. */
  drop(error: unknown): void {
    if (this.#lost !== undefined) return
    this.#lost = { error }
    // Who waits for these must not hear that they are lost, and say them again another way.
    const told = this.#parts.writer.remove(this) ? unknown() : error
    const entries = this.#pending
    this.#pending = []
    for (const entry of entries) entry.whenLost?.(told)
    this.#tellSettled()
  }

  take(): RunAppend | undefined {
    if (this.#writing !== undefined || this.#pending.length === 0 || this.#lost !== undefined)
      return undefined
    this.#writing =
      this.#pending.length <= maxEventsPerWrite ? this.#pending : this.#pending.slice(0, maxEventsPerWrite)
    this.#pending = this.#pending.length <= maxEventsPerWrite ? [] : this.#pending.slice(maxEventsPerWrite)
    const events = this.#writing.map((entry) => entry.event)
    return { runId: this.#owner.facts.runId, events, expectedRunSeq: this.#runSeq, unlessEnded: true }
  }

  written(count?: number): void {
    const taken = this.#writing
    if (taken === undefined) return
    const entries = count === undefined ? taken : taken.slice(0, count)
    if (count !== undefined) this.#pending = [...taken.slice(count), ...this.#pending]
    this.#runSeq += entries.length
    this.#writing = undefined
    for (const entry of entries) entry.whenDurable?.()
    if (this.#pending.length > 0) this.#parts.writer.add(this)
    this.#tellSettled()
  }

  putBack(): void {
    if (this.#lost !== undefined) {
      this.#parts.writer.remove(this)
      this.lost(unknown())
      return
    }
    this.#pending = [...(this.#writing ?? []), ...this.#pending]
    this.#writing = undefined
    this.#parts.writer.add(this)
  }

  lost(error: unknown, count = 0): void {
    const entries = this.#writing ?? []
    this.#writing = undefined
    for (const entry of entries.slice(count)) entry.whenLost?.(error)
    const isFirst = this.#lost === undefined
    this.drop(error)
    this.#tellSettled()
    if (isFirst) this.#owner.onLost(error)
    // The run is closed by now: whoever waits for these is told, and nothing more comes of them here.
    for (const entry of entries.slice(0, count)) entry.whenDurable?.()
  }

  #tellSettled(): void {
    if (this.#settled === undefined || !this.isSettled) return
    const waiting = this.#settled
    this.#settled = undefined
    for (const resolve of waiting) resolve()
  }
}

/** The store was asked to write and did not answer, and nobody is left to ask again. */
function unknown(): ProblemError {
  return problem('store_unavailable', {
    detail: 'The store did not answer: this may have been done. Look at the run before you ask again.',
  })
}
