import {
  type AppendOutcome,
  type Command,
  type CommandKind,
  type CommandOf,
  fillsInbox,
  type ResultOf,
} from './command.ts'
import type { Failure, Outcome } from './outcome.ts'
import { unavailable } from './refusal.ts'
import { asStoreError, fromFailure } from './store-error.ts'
import { encode, type Wire } from './wire.ts'

/** Beyond this a batch only makes everyone in it wait longer. */
const maxBatchCommands = 1024
const maxBatchChars = 1_000_000
const maxQueuedCommands = 20_000
const maxQueuedChars = 128_000_000
const commitTimeoutMs = 60_000

export type Committed = { kind: CommandKind; runId: string | undefined; fillsInbox: boolean }

type Waiting = Committed & {
  /** How many events the command has. */
  events: number
  resolve: (value: never) => void
  reject: (error: Error) => void
}

/** Commands that are handed over together. */
type Batch = { wire: Wire; waiting: Waiting[]; chars: number }

/** Applies the commands of a wire in one transaction; resolves when they are on disk. */
export type Apply = (wire: Wire) => Promise<readonly Outcome[]>

export type WriteQueueOptions = {
  apply: Apply
  /** How many batches may be handed over before the first is answered. */
  maxUnderWay: number
  onCommit: (committed: readonly Committed[]) => void
}

/**
 * Natural group commit: while batches are being committed the next one gathers, and no timer holds anything
 * back. Bounded in commands and characters; beyond that a write is refused and not queued.
 */
export class WriteQueue {
  readonly #options: WriteQueueOptions
  #batches: Batch[] = []
  #queuedCommands = 0
  #queuedChars = 0
  #underWay = 0
  #isScheduled = false
  #broken: Error | undefined
  #idle: (() => void)[] = []

  constructor(options: WriteQueueOptions) {
    this.#options = options
  }

  /** Durable when this resolves. The command is copied at once, so the caller may change it afterwards. */
  write<K extends CommandKind>(command: CommandOf<K> & { kind: K }): Promise<ResultOf<K>> {
    if (this.#broken) return Promise.reject(asStoreError(this.#broken))
    if (this.#queuedCommands >= maxQueuedCommands || this.#queuedChars > maxQueuedChars) {
      return Promise.reject(asStoreError(unavailable('Too much waits to be written. Try again in a moment.')))
    }
    return new Promise((resolve, reject) => {
      this.#add(command, resolve, reject)
      if (this.#isScheduled) return
      this.#isScheduled = true
      queueMicrotask(this.#sendAll)
    })
  }

  #add(command: Command, resolve: (value: never) => void, reject: (error: Error) => void): void {
    const batch = this.#open()
    const from = batch.wire.length
    try {
      const chars = encode(batch.wire, command)
      batch.chars += chars
      this.#queuedChars += chars
    } catch (error) {
      // What was half encoded must not be taken for the beginning of the next command.
      batch.wire.length = from
      throw error
    }
    this.#queuedCommands++
    batch.waiting.push({
      kind: command.kind,
      runId: 'runId' in command ? command.runId : undefined,
      fillsInbox: fillsInbox(command),
      events: 'events' in command ? command.events.length : 0,
      resolve,
      reject,
    })
  }

  /** The batch that gathers now. */
  #open(): Batch {
    const last = this.#batches.at(-1)
    if (last && last.waiting.length < maxBatchCommands && last.chars < maxBatchChars) return last
    const batch: Batch = { wire: [], waiting: [], chars: 0 }
    this.#batches.push(batch)
    return batch
  }

  /** Refuses what waits and everything after it. What is being committed is refused too: nobody knows its outcome. */
  break(error: Error): void {
    this.#broken ??= error
    const refused = this.#batches
    this.#batches = []
    for (const batch of refused) {
      this.#release(batch)
      for (const { reject } of batch.waiting) reject(asStoreError(error))
    }
  }

  /** Takes no more and resolves when all that waits is on disk. */
  async close(): Promise<void> {
    this.#broken ??= unavailable('The store is closed.')
    while (this.#underWay + this.#batches.length > 0) {
      await new Promise<void>((resolve) => this.#idle.push(resolve))
    }
  }

  readonly #sendAll = (): void => {
    this.#isScheduled = false
    while (this.#underWay < this.#options.maxUnderWay) {
      const batch = this.#batches.shift()
      if (batch === undefined) break
      this.#release(batch)
      this.#underWay++
      void this.#send(batch)
    }
  }

  async #send(batch: Batch): Promise<void> {
    try {
      const outcomes = await within(this.#options.apply(batch.wire))
      this.#settle(batch.waiting, outcomes)
    } catch (error) {
      const reason = asStoreError(error)
      for (const { reject } of batch.waiting) reject(reason)
    }
    this.#underWay--
    // What the answers bring about in this turn shares the next batch.
    queueMicrotask(this.#sendAll)
    if (this.#underWay + this.#batches.length === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }

  #release(batch: Batch): void {
    this.#queuedCommands -= batch.waiting.length
    this.#queuedChars -= batch.chars
  }

  #settle(batch: readonly Waiting[], outcomes: readonly Outcome[]): void {
    for (const [index, waiting] of batch.entries()) {
      const outcome = outcomes[index]
      if (outcome === undefined) waiting.reject(asStoreError(unavailable('The write was not answered.')))
      else if (typeof outcome !== 'number' && 'failure' in outcome)
        waiting.reject(fromFailure(outcome.failure))
      else waiting.resolve(resultOf(waiting, outcome) as never) // The writer answered this very command: its result has the command's type.
    }
    this.#options.onCommit(batch)
  }
}

function resultOf({ kind, events }: Waiting, outcome: Exclude<Outcome, { failure: Failure }>): unknown {
  if (typeof outcome === 'number') {
    return kind === 'append_log_lines' ? { lastLine: outcome } : { seqs: numbers(outcome, events) }
  }
  return 'many' in outcome ? outcome.many.map(appendOutcome) : outcome.value
}

function numbers(first: number, count: number): number[] {
  const seqs: number[] = []
  for (let index = 0; index < count; index++) seqs.push(first + index)
  return seqs
}

function appendOutcome(outcome: number | Failure): AppendOutcome {
  return typeof outcome === 'number' ? { firstSeq: outcome } : { error: fromFailure(outcome) }
}

/** A commit that does not end must not hold its callers for ever. */
async function within<T>(commit: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unavailable('The disk or the database takes too long.')), commitTimeoutMs)
    timer.unref()
  })
  try {
    return await Promise.race([commit, late])
  } finally {
    clearTimeout(timer)
  }
}
