import { isDeepStrictEqual } from 'node:util'
import type { Event } from '@kyros/contract/event'
import { type AppendOutcome, EngineFenced, type NewRunEvent, type RunAppend } from '@kyros/store/command'
import type { Store } from '@kyros/store/store'
import { textOf } from '../error-text.ts'
import type { EngineClock } from './timers.ts'

/** Whose events go out together with those of others. */
export type Pages = {
  /** What is pending, and is under way from here on; undefined when there is nothing. */
  take(): RunAppend | undefined
  /** What was taken last is on disk, or so many events of it; the others are pending again. */
  written(count?: number): void
  /** It is not, or so many events of it alone: the run must be read again, or is no longer ours. */
  lost(error: unknown, count?: number): void
  /** An outage: what was taken is pending again. */
  putBack(): void
}

export type JournalWriterOptions = {
  store: Pick<Store, 'write' | 'events'>
  clock: EngineClock
  /** The engine's lease, where there is one. */
  epoch: () => number | undefined
  log: (level: 'warn' | 'error', message: string) => void
}

const firstPauseMs = 50
const longestPauseMs = 5000

/**
 * Writes the tails of all runs' logs: what the runs of one round of turns have to say is one call to the store. Of a run
 * one write is under way at a time, so its events become durable in the order they happened.
 */
export class JournalWriter {
  readonly #options: JournalWriterOptions
  #dirty = new Set<Pages>()
  /** Whose last write ended in an outage: it may be on disk all the same. */
  readonly #unclear = new Set<Pages>()
  #pauseMs = 0
  #pausing: Promise<void> | undefined

  constructor(options: JournalWriterOptions) {
    this.#options = options
  }

  /** `pages` has something to write. */
  add(pages: Pages): void {
    this.#dirty.add(pages)
  }

  /** Writes nothing more of it. True: what is pending may be on disk all the same. */
  remove(pages: Pages): boolean {
    this.#dirty.delete(pages)
    return this.#unclear.delete(pages)
  }

  /** Hands everything that is pending to the store. */
  flush(): void {
    if (this.#dirty.size === 0 || this.#pausing !== undefined) return
    const taken: Pages[] = []
    const appends: RunAppend[] = []
    for (const pages of this.#dirty) {
      const append = pages.take()
      if (append === undefined) continue
      taken.push(pages)
      appends.push(append)
    }
    this.#dirty.clear()
    if (appends.length > 0) void this.#write(taken, appends)
  }

  async #write(taken: readonly Pages[], appends: readonly RunAppend[]): Promise<void> {
    const outcomes = await this.#append(appends)
    let outage: unknown
    for (const [index, pages] of taken.entries()) {
      const [outcome, append] = [outcomes[index], appends[index]]
      const error = outcome !== undefined && 'error' in outcome ? outcome.error : undefined
      const isUnclear = this.#unclear.delete(pages)
      if (error === undefined) pages.written()
      else if (mayPass(error)) {
        outage = error
        this.#unclear.add(pages)
        pages.putBack()
      } else if (isUnclear && append !== undefined) void this.#compare(pages, append, error)
      else pages.lost(error)
    }
    if (outage === undefined) this.#pauseMs = 0
    else this.#pause(outage)
    this.flush()
  }

  /**
   * An outage hid whether the write came through, and trying again failed: what the log holds after it tells. Without
   * this look, callers would hear of a failure, and say again what is on disk.
   */
  async #compare(pages: Pages, { runId, events, expectedRunSeq }: RunAppend, error: Error): Promise<void> {
    try {
      const stored = await this.#options.store.events.ofRun(runId, expectedRunSeq)
      const differs = events.findIndex((event, index) => !isStoredAs(event, stored[index]))
      const count = differs === -1 ? events.length : differs
      // Who has the lease now may have written the very same: what began with it is theirs to go on with.
      if (count === 0 || error instanceof EngineFenced) pages.lost(error, count)
      else pages.written(count)
    } catch (outage) {
      this.#unclear.add(pages)
      pages.putBack()
      if (this.#pausing === undefined) this.#pause(outage)
    }
    this.flush()
  }

  async #append(appends: readonly RunAppend[]): Promise<readonly AppendOutcome[]> {
    const epoch = this.#options.epoch()
    try {
      return await this.#options.store.write({
        kind: 'append_many',
        appends,
        ...(epoch === undefined ? {} : { epoch }),
      })
    } catch (error) {
      // One of them cannot be encoded, and nothing was sent: the others have no part in that.
      if (appends.length > 1 && (error instanceof TypeError || error instanceof RangeError)) {
        return (await Promise.all(appends.map((append) => this.#append([append])))).flat()
      }
      const failed = error instanceof Error ? error : new Error(textOf(error))
      return appends.map(() => ({ error: failed }))
    }
  }

  #pause(outage: unknown): void {
    this.#pauseMs = Math.min(longestPauseMs, Math.max(firstPauseMs, this.#pauseMs * 2))
    this.#options.log('error', `Runs cannot be written and try again: ${String(outage)}`)
    this.#pausing = this.#options.clock
      .sleep(this.#pauseMs)
      .catch(() => {})
      .then(() => {
        this.#pausing = undefined
        this.flush()
      })
  }
}

function isStoredAs(event: NewRunEvent, stored: Event | undefined): boolean {
  if (stored === undefined || stored.type !== event.type || Date.parse(stored.time) !== event.timeMs)
    return false
  return isDeepStrictEqual(JSON.parse(JSON.stringify(event.data)), stored.data)
}

/** An outage may pass; that somebody else wrote, or that the run is gone, does not. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  return error.code === 'store_unavailable' || error.code === 'storage_full'
}
