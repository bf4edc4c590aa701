import { type InboxLineOptions, type Obeyed, obeyInOrder } from './inbox-line.ts'
import type { Message } from './obey-message.ts'
import { isInTime } from './wait-limit.ts'

const pageSize = 500
/** What is asked after a takeover need not wait until all that came before has been done: it queues up behind it. */
const longestWaitMs = 1000
/** A run that takes longer than this over its messages does not keep others waiting for theirs. */
const longestPageMs = 1000
const retryReadMs = 1000
// A run of these is one that cannot be read or written: with so many, something is wrong with all of them.
const maxHeld = 10_000

/** A run whose messages wait, from `firstId` on. */
type Held = { firstId: number; tries: number; dueMs: number }

/** One life of reading, while this process holds the engine. */
type Reader = {
  readonly signal: AbortSignal
  /** What came up to here was read, and taken off but for that of held runs. */
  after: number
  readonly held: Map<string, Held>
  /** How often the inbox was filled before all of it was read; undefined while it was not, or not since a failure. */
  readAt: number | undefined
  retry: AbortController | undefined
}

/** `since`: how far back it has gone for runs that came from another engine. */
type Pass = { readonly reader: Reader; readonly stopped: Set<string>; readonly since: Set<number> }

/** What other processes, and this one while it did not hold the engine, asked of its runs. */
export class Inbox {
  readonly #options: InboxLineOptions
  #reader: Reader | undefined
  /** How often this process has put something into the inbox. */
  #filled = 0
  #last: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined

  constructor(options: InboxLineOptions) {
    this.#options = options
  }

  /**
   * Does what was asked, in the order of each run, until `signal` aborts. A message is taken off only after its effect
   * is on disk, and a signal carries the message's id, so a crash in between repeats nothing. One that cannot be obeyed
   * holds back those of its own run; it is tried again with pauses, and given up at last, which is logged as an error.
   */
  async keep(signal: AbortSignal): Promise<void> {
    const reader: Reader = { signal, after: 0, held: new Map(), readAt: undefined, retry: undefined }
    this.#reader = reader
    try {
      await this.#drainSafely()
      for await (const _ of this.#options.store.inbox.changes(signal)) await this.#drainSafely()
    } finally {
      reader.retry?.abort()
      if (this.#reader === reader) this.#reader = undefined
    }
  }

  /** This process has put something into the inbox: what comes now has to queue up behind it. */
  filled(): void {
    this.#filled += 1
  }

  /**
   * True: all that was acknowledged for the run by way of the inbox before this call has reached it, so that what comes
   * now may go there directly and overtakes nothing. False: it has to queue up in the inbox.
   */
  async caughtUp(runId: string): Promise<boolean> {
    const reader = this.#reader
    if (reader === undefined) return false
    // On SQLite there is no other process, so that this one knows whether there is something in the inbox.
    if (reader.readAt !== this.#filled || this.#options.store.dialect !== 'sqlite') {
      if (!(await isInTime(this.#drainSafely(), this.#options.clock, longestWaitMs))) return false
    }
    const isRead = reader.readAt !== undefined && this.#reader === reader && !reader.signal.aborted
    return isRead && !reader.held.has(runId)
  }

  async #drainSafely(): Promise<void> {
    try {
      await this.#drainAnew()
    } catch (error) {
      const reader = this.#reader
      if (reader === undefined || reader.signal.aborted) return
      reader.readAt = undefined
      this.#options.log('warn', `The engine's inbox is read again: ${String(error)}`)
      this.#retryIn(reader, retryReadMs)
    }
  }

  /** A read that begins after this call. All who ask while one is under way share the one after it. */
  #drainAnew(): Promise<void> {
    this.#next ??= this.#last.then(() => {
      this.#next = undefined
      const draining = this.#reader === undefined ? Promise.resolve() : this.#drain(this.#reader)
      this.#last = draining.catch(() => {})
      return draining
    })
    return this.#next
  }

  async #drain(reader: Reader): Promise<void> {
    const { clock } = this.#options
    const [filled, nowMs] = [this.#filled, clock.nowMs()]
    const pass: Pass = { reader, stopped: new Set(), since: new Set() }
    let after = reader.after
    for (const [runId, { dueMs, firstId }] of reader.held) {
      if (dueMs > nowMs) pass.stopped.add(runId)
      else after = Math.min(after, firstId - 1)
    }
    const due = [...reader.held.keys()].filter((runId) => !pass.stopped.has(runId))
    for (;;) {
      const messages = await this.#page(after, pass)
      await this.#obeyAll(messages, pass)
      after = messages.at(-1)?.id ?? after
      reader.after = Math.max(reader.after, after)
      if (messages.length < pageSize) break
    }
    for (const runId of due) if (!pass.stopped.has(runId)) reader.held.delete(runId)
    reader.readAt = filled
    this.#retryHeld(reader)
  }

  /** A run that comes from another engine brings messages that are older than what was read: they are first. */
  async #page(after: number, { since }: Pass): Promise<Message[]> {
    const { store, engine } = this.#options
    const page = await store.inbox.list(after, pageSize, engine)
    let first = after + 1
    for (const { message } of page) {
      if (message.type !== 'accept' || message.since === undefined || since.has(message.since)) continue
      since.add(message.since)
      first = Math.min(first, message.since)
    }
    return first > after ? page : store.inbox.list(first - 1, pageSize, engine)
  }

  /** In their order within a run, and of many runs at once: those share their commits. */
  async #obeyAll(messages: readonly Message[], pass: Pass): Promise<void> {
    const { reader } = pass
    if (reader.signal.aborted) throw new Error('this process does not hold the engine any more')
    if (reader.held.size > maxHeld) throw new Error(`the messages of ${maxHeld} runs cannot be obeyed`)
    const isFree = ({ message }: Message) => !pass.stopped.has(message.runId)
    const ofRuns = Map.groupBy(messages.filter(isFree), ({ message }) => message.runId)
    const ended = new Map<string, Obeyed>()
    const obeying = [...ofRuns].map(async ([runId, own]) => {
      const tries = reader.held.get(runId)?.tries ?? 0
      const obeyed = await obeyInOrder(this.#options, own, tries, reader.signal)
      ended.set(runId, obeyed)
      return obeyed
    })
    await isInTime(Promise.all(obeying), this.#options.clock, longestPageMs)
    for (const [index, [runId, own]] of [...ofRuns].entries()) {
      const obeyed = ended.get(runId)
      const late = obeying[index]
      if (obeyed?.left !== undefined) this.#hold(pass, runId, obeyed.left)
      else if (obeyed === undefined && late !== undefined) this.#holdLate(pass, runId, own, late)
    }
    await this.#take([...ended.values()].flatMap(({ taken }) => taken))
  }

  #hold({ reader, stopped }: Pass, runId: string, left: NonNullable<Obeyed['left']>): void {
    stopped.add(runId)
    const { id: firstId, tries, pauseMs } = left
    reader.held.set(runId, { firstId, tries, dueMs: this.#options.clock.nowMs() + pauseMs })
  }

  /** The others go on without it; what comes for the run meanwhile queues up behind what is under way. */
  #holdLate({ reader, stopped }: Pass, runId: string, own: readonly Message[], late: Promise<Obeyed>): void {
    const { clock } = this.#options
    stopped.add(runId)
    const held: Held = { firstId: own[0]?.id ?? 0, tries: 0, dueMs: Infinity }
    reader.held.set(runId, held)
    const release = ({ tries, pauseMs }: { tries: number; pauseMs: number }) => {
      held.tries = tries
      held.dueMs = clock.nowMs() + pauseMs
      this.#retryHeld(reader)
    }
    late
      .then(async ({ taken, left }) => {
        await this.#take(taken)
        release(left ?? { tries: 0, pauseMs: 0 })
      })
      .catch(() => release({ tries: 0, pauseMs: retryReadMs }))
  }

  async #take(ids: readonly number[]): Promise<void> {
    const { store, engine } = this.#options
    // One whose run goes to another engine meanwhile is that engine's.
    if (ids.length > 0) await store.write({ kind: 'take_inbox', ids, ...(engine && { engine }) })
  }

  #retryHeld(reader: Reader): void {
    let dueMs = Infinity
    for (const held of reader.held.values()) dueMs = Math.min(dueMs, held.dueMs)
    if (dueMs < Infinity) this.#retryIn(reader, Math.max(0, dueMs - this.#options.clock.nowMs()))
  }

  /** In the place of what was planned before. */
  #retryIn(reader: Reader, pauseMs: number): void {
    if (this.#reader !== reader || reader.signal.aborted) return
    reader.retry?.abort()
    const retry = new AbortController()
    reader.retry = retry
    const again = () => (retry.signal.aborted ? undefined : this.#drainSafely())
    this.#options.clock.sleep(pauseMs, retry.signal).then(again, () => {})
  }
}
