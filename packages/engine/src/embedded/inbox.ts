import { ProblemError } from '@kyros/contract/problem'
import type { InboxMessage } from '@kyros/store/command'
import type { Store } from '@kyros/store/store'
import type { EngineLog } from './engine-parts.ts'
import type { LiveRun } from './live-run.ts'
import type { RunTable } from './run-table.ts'
import type { EngineClock } from './timers.ts'

const pageSize = 500
/** What is asked after a takeover need not wait until all that came before has been done: it queues up behind it. */
const longestWaitMs = 1000

type Message = { id: number; message: InboxMessage }

type InboxOptions = {
  store: Store
  clock: EngineClock
  table: RunTable
  log: EngineLog
  operate: OnOperation
}

/** Does what a message asks beside signals and cancellations. */
export type OnOperation = (
  run: LiveRun,
  message: Extract<InboxMessage, { type: 'operate' }>,
  id: number,
) => Promise<void>

/** What other processes, and this one while it did not hold the engine, asked of its runs. */
export class Inbox {
  readonly #store: Store
  readonly #clock: EngineClock
  readonly #table: RunTable
  readonly #log: EngineLog
  readonly #operate: OnOperation
  /** Where this process reads, while it holds the engine. */
  #reader: { after: number; signal: AbortSignal } | undefined
  /** Whether everything was read once since this process holds the engine. */
  #isRead = false
  #last: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined

  constructor({ store, clock, table, log, operate }: InboxOptions) {
    this.#clock = clock
    this.#operate = operate
    this.#store = store
    this.#table = table
    this.#log = log
  }

  /**
   * Does what was asked, in order, until `signal` aborts. A message is taken off only after its effect is on disk, and
   * a signal carries the message's id, so a crash in between repeats nothing.
   */
  async keep(signal: AbortSignal): Promise<void> {
    const reader = { after: 0, signal }
    this.#reader = reader
    this.#isRead = false
    try {
      await this.#drainSafely()
      for await (const _ of this.#store.inbox.changes(signal)) await this.#drainSafely()
    } finally {
      if (this.#reader === reader) this.#reader = undefined
    }
  }

  /**
   * True: all that was acknowledged by way of the inbox before this call has reached its run, so that what comes now may
   * go there directly and overtakes nothing. False: it has to queue up in the inbox.
   */
  async caughtUp(): Promise<boolean> {
    const reader = this.#reader
    if (reader === undefined) return false
    // On SQLite there is no other process, and this one fills the inbox only while it does not hold the engine.
    if (this.#isRead && this.#store.dialect === 'sqlite') return true
    const isDone = await this.#within(this.#drainSafely())
    return isDone && this.#isRead && this.#reader === reader && !reader.signal.aborted
  }

  async #within(draining: Promise<void>): Promise<boolean> {
    const waiting = new AbortController()
    const tooLong = this.#clock.sleep(longestWaitMs, waiting.signal).then(
      () => false,
      () => false,
    )
    try {
      return await Promise.race([draining.then(() => true), tooLong])
    } finally {
      waiting.abort()
    }
  }

  async #drainSafely(): Promise<void> {
    try {
      await this.#drainAnew()
      this.#isRead = true
    } catch (error) {
      this.#isRead = false
      this.#log('warn', `The engine's inbox is read again: ${String(error)}`)
    }
  }

  /** A read that begins after this call. All who ask while one is under way share the one after it. */
  #drainAnew(): Promise<void> {
    this.#next ??= this.#last.then(() => {
      this.#next = undefined
      const draining = this.#drain()
      this.#last = draining.catch(() => {})
      return draining
    })
    return this.#next
  }

  async #drain(): Promise<void> {
    const reader = this.#reader
    if (reader === undefined) return
    for (;;) {
      const messages = await this.#store.inbox.list(reader.after, pageSize)
      await this.#obeyAll(messages, reader.signal)
      reader.after = messages.at(-1)?.id ?? reader.after
      if (messages.length > 0) await this.#store.write({ kind: 'take_inbox', upToId: reader.after })
      if (messages.length < pageSize) return
    }
  }

  /** In their order within a run, and of many runs at once: those share their commits. A failure is told at the end. */
  async #obeyAll(messages: readonly Message[], signal: AbortSignal): Promise<void> {
    const ofRuns = Map.groupBy(messages, ({ message }) => message.runId)
    const obeyed = await Promise.allSettled(
      [...ofRuns.values()].map(async (own) => {
        for (const { id, message } of own) {
          if (signal.aborted) throw new Error('this process does not hold the engine any more')
          await obey(this.#table, this.#operate, message, id)
        }
      }),
    )
    for (const outcome of obeyed) if (outcome.status === 'rejected') throw outcome.reason
  }
}

async function obey(table: RunTable, operate: OnOperation, message: InboxMessage, id: number): Promise<void> {
  const run = await table.find(message.runId)
  if (run === undefined || message.type === 'accept') return
  try {
    if (message.type === 'cancel') await run.cancel(message.reason, message.actor)
    else if (message.type === 'operate') await operate(run, message, id)
    else await run.signal(message.signal, message.payload, message.actor, id)
  } catch (error) {
    // It ended, or became another, after the message was accepted: nobody is left to tell.
    if (!(error instanceof ProblemError) || error.status >= 500) throw error
  }
}
