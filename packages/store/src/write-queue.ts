import { type Command, type CommandKind, type CommandOf, fillsInbox, type ResultOf } from './command.ts'
import type { Failure, Outcome } from './outcome.ts'
import { unavailable } from './refusal.ts'
import { asStoreError, fromFailure } from './store-error.ts'

/** Beyond this a batch only makes everyone in it wait longer. */
const maxBatchCommands = 1024
const maxBatchChars = 1_000_000
const maxQueuedCommands = 20_000
const maxQueuedChars = 128_000_000
const commitTimeoutMs = 60_000

export type Committed = { kind: CommandKind; runId: string | undefined; fillsInbox: boolean }

type Waiting = Committed & {
  text: string
  resolve: (value: never) => void
  reject: (error: Error) => void
}

/** Applies commands (each one JSON text) in one transaction; resolves when they are on disk. */
export type Apply = (commands: readonly string[]) => Promise<readonly Outcome[]>

/**
 * Natural group commit: while one batch is being committed the next one gathers, and no timer holds anything
 * back. Bounded in commands and characters; beyond that a write is refused and not queued.
 */
export class WriteQueue {
  readonly #apply: Apply
  readonly #onCommit: (committed: readonly Committed[]) => void
  #queue: Waiting[] = []
  #queuedChars = 0
  #busy = false
  #broken: Error | undefined
  #idle: (() => void)[] = []

  constructor(apply: Apply, onCommit: (committed: readonly Committed[]) => void) {
    this.#apply = apply
    this.#onCommit = onCommit
  }

  /** Durable when this resolves. The command is copied at once, so the caller may change it afterwards. */
  write<K extends CommandKind>(command: CommandOf<K> & { kind: K }): Promise<ResultOf<K>> {
    if (this.#broken) return Promise.reject(asStoreError(this.#broken))
    const text = JSON.stringify(command)
    if (this.#queue.length >= maxQueuedCommands || this.#queuedChars + text.length > maxQueuedChars) {
      return Promise.reject(asStoreError(unavailable('Too much waits to be written. Try again in a moment.')))
    }
    return new Promise((resolve, reject) => {
      const what = { kind: command.kind, runId: runOf(command), fillsInbox: fillsInbox(command) }
      this.#queue.push({ ...what, text, resolve, reject })
      this.#queuedChars += text.length
      if (!this.#busy) {
        this.#busy = true
        queueMicrotask(() => void this.#drain())
      }
    })
  }

  /** Refuses what waits and everything after it. What is being committed is refused too: nobody knows its outcome. */
  break(error: Error): void {
    this.#broken ??= error
    this.#refuseQueued(error)
  }

  /** Takes no more and resolves when all that waits is on disk. */
  async close(): Promise<void> {
    this.#broken ??= unavailable('The store is closed.')
    if (this.#busy) await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#take()
      try {
        const outcomes = await within(this.#apply(batch.map(({ text }) => text)))
        this.#settle(batch, outcomes)
      } catch (error) {
        const reason = asStoreError(error)
        for (const { reject } of batch) reject(reason)
      }
    }
    this.#busy = false
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  #take(): Waiting[] {
    let chars = 0
    let count = 0
    for (const { text } of this.#queue) {
      if (count === maxBatchCommands || (count > 0 && chars + text.length > maxBatchChars)) break
      chars += text.length
      count++
    }
    this.#queuedChars -= chars
    const batch = this.#queue.slice(0, count)
    this.#queue = this.#queue.slice(count)
    return batch
  }

  #settle(batch: readonly Waiting[], outcomes: readonly Outcome[]): void {
    const committed: Committed[] = []
    for (const [index, { resolve, reject, ...what }] of batch.entries()) {
      const outcome = outcomes[index]
      if (outcome === undefined) reject(asStoreError(unavailable('The write was not answered.')))
      else if ('failure' in outcome) reject(fromFailure(outcome.failure))
      else resolve(resultOf(what.kind, outcome.value) as never) // The writer answered this very command: its result has the command's type.
      committed.push(what)
    }
    this.#onCommit(committed)
  }

  #refuseQueued(error: Error): void {
    const refused = this.#queue
    this.#queue = []
    this.#queuedChars = 0
    for (const { reject } of refused) reject(asStoreError(error))
  }
}

/** Failures cross the thread as values; the caller of many appends gets each as the error that it is. */
function resultOf(kind: CommandKind, value: unknown): unknown {
  if (kind !== 'append_many' || !Array.isArray(value)) return value
  return value.map((result: { failure?: Failure }) =>
    result.failure === undefined ? result : { error: fromFailure(result.failure) },
  )
}

function runOf(command: Command): string | undefined {
  return 'runId' in command ? command.runId : undefined
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
