import type { Event } from '@kyros/contract/event'
import { Bell, type Notices, pollMs } from './notices.ts'
import type { EventReads } from './reads/events.ts'
import { type EventFilter, isWanted } from './reads/journal.ts'
import type { FollowBatch, FollowOptions } from './store.ts'

const maxKept = 500
const readAtOnce = 500
/** Between two reads of the tail: many commits a second become a hundred reads. */
const minGapMs = 10

type Next = { events: Event[]; seq: number; more: boolean; reset?: number }

/**
 * The end of the log in memory, read once for all followers. A follower that is further behind than what is
 * kept reads from the log by itself until it has caught up, so nothing is buffered per follower.
 */
export class LogTail {
  readonly #reads: EventReads
  readonly #notices: Notices
  readonly #closed: AbortSignal
  readonly #isOutage: (error: unknown) => boolean
  #kept: Event[] = []
  /** Everything up to this number is known here. */
  #head = 0
  readonly #followers = new Set<Bell>()
  #isRunning = false

  constructor(
    reads: EventReads,
    notices: Notices,
    closed: AbortSignal,
    isOutage: (error: unknown) => boolean,
  ) {
    this.#reads = reads
    this.#notices = notices
    this.#closed = closed
    this.#isOutage = isOutage
  }

  async *follow(options: FollowOptions, signal: AbortSignal): AsyncGenerator<FollowBatch> {
    const bell = new Bell()
    const stop = AbortSignal.any([signal, this.#closed])
    const wake = () => bell.ring()
    stop.addEventListener('abort', wake)
    this.#followers.add(bell)
    this.#start()
    try {
      let seq = options.after
      let isChecked = false
      while (!stop.aborted) {
        const next = await this.#tryNext(seq, options, isChecked)
        if (next === undefined) {
          await bell.wait(pollMs)
          continue
        }
        isChecked = true
        seq = next.seq
        if (next.reset !== undefined) yield { reset: { from: next.reset } }
        else if (next.events.length > 0) yield { events: next.events }
        else if (!next.more) await bell.wait(pollMs)
      }
    } finally {
      this.#followers.delete(bell)
      stop.removeEventListener('abort', wake)
    }
  }

  /** The number to go on from, when the log no longer has what comes after `seq`, or never had `seq`. */
  async #resetFor(seq: number, filter: EventFilter): Promise<number | undefined> {
    // What is there of a run or a job is all of it: those are taken out as a whole.
    const isOfOne = filter.runId !== undefined || filter.jobId !== undefined
    const next = isOfOne ? undefined : await this.#reads.resumeAfter(seq)
    if (next !== undefined) return next
    const head = await this.#reads.head()
    return seq > head ? head + 1 : undefined
  }

  /** Undefined while the database is out: who follows waits for it to come back, and then misses nothing. */
  async #tryNext(seq: number, filter: EventFilter, isChecked: boolean): Promise<Next | undefined> {
    try {
      const reset = isChecked ? undefined : await this.#resetFor(seq, filter)
      if (reset !== undefined) return { events: [], seq: reset - 1, more: true, reset }
      return await this.#next(seq, filter)
    } catch (error) {
      if (this.#isOutage(error)) return undefined
      throw error
    }
  }

  async #next(seq: number, filter: EventFilter): Promise<Next> {
    const oldest = this.#kept[0]?.seq ?? this.#head + 1
    if (seq >= oldest - 1 && this.#head >= seq && this.#head > 0) {
      const head = this.#head
      const events = this.#kept.filter((event) => event.seq > seq && isWanted(event, filter))
      return { events, seq: head, more: false }
    }
    const head = await this.#reads.head()
    const events = await this.#reads.after(seq, readAtOnce, filter)
    const isFull = events.length === readAtOnce
    const last = events.at(-1)?.seq
    return {
      events,
      seq: isFull && last !== undefined ? last : Math.max(head, last ?? 0, seq),
      more: head > seq,
    }
  }

  #start(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    void this.#run()
  }

  /** Runs while anybody follows. */
  async #run(): Promise<void> {
    const bell = new Bell()
    const wake = () => bell.ring()
    const stop = this.#notices.listen('events', wake)
    this.#closed.addEventListener('abort', wake)
    try {
      this.#kept = []
      this.#head = 0
      while (this.#followers.size > 0 && !this.#closed.aborted) {
        const isMore = await this.#read().catch(() => false)
        await new Promise((resolve) => setTimeout(resolve, minGapMs))
        if (!isMore) await bell.wait(pollMs)
      }
    } finally {
      this.#isRunning = false
      stop()
      this.#closed.removeEventListener('abort', wake)
    }
  }

  /** Reads what is new; true when there may be more at once. A failed read is tried again at the next notice. */
  async #read(): Promise<boolean> {
    if (this.#head === 0) {
      this.#head = await this.#reads.head()
      if (this.#head > 0) this.#wakeAll()
      return false
    }
    const events = await this.#reads.after(this.#head, readAtOnce)
    const last = events.at(-1)
    if (!last) return false
    this.#kept = [...this.#kept, ...events].slice(-maxKept)
    this.#head = last.seq
    this.#wakeAll()
    return events.length === readAtOnce
  }

  #wakeAll(): void {
    for (const bell of this.#followers) bell.ring()
  }
}
