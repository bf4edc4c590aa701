import { setTimeout as delay } from 'node:timers/promises'
import { isRunEnd } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import { isProblem, problem } from '@kyros/contract/problem'
import { isTerminal } from '@kyros/contract/run-status'
import type { CommandOf } from '@kyros/store/command'
import type { Store } from '@kyros/store/store'
import type { StreamChunk } from '../engine.ts'
import { toJson } from './json-value.ts'
import type { EngineClock } from './timers.ts'

/** What all streams of one run may hold. */
export const maxStreamBytes = 64 * 1024 * 1024
const maxStreams = 100
const maxNameChars = 128
// A write that waits for the disk gathers what comes meanwhile; a row of this size is read in one go.
const maxChunksPerWrite = 500
const maxCharsPerWrite = 256 * 1024
/** A writer that is this far ahead of the disk is made to wait. */
const maxCharsAhead = 1024 * 1024
const maxChunkChars = 1024 * 1024
const outagePauseMs = 200
const maxTries = 5

type Pending = { stream: string; data: Json; chars: number }

export type StreamWriterOptions = {
  store: Pick<Store, 'write'>
  clock: Pick<EngineClock, 'nowMs'>
  runId: string
  step: string
  attempt: number
  /** The engine's lease that the attempt began under: without it nothing of it is written any more. */
  epoch?: number | undefined
}

type Append = CommandOf<'append_stream'>

/**
 * What one attempt writes to the streams of its run. The first chunk goes to the store at once; what is written while
 * it is on its way is the next write. Order is kept, also between streams.
 */
export class StreamWriter {
  readonly #options: StreamWriterOptions
  #pending: Pending[] = []
  #charsAhead = 0
  /** Up to where each stream is known to be written. */
  readonly #known = new Map<string, number>()
  #writing: Promise<void> | undefined
  #failed: Error | undefined

  constructor(options: StreamWriterOptions) {
    this.#options = options
  }

  /**
   * Resolves at once unless the writer is far ahead of the disk. `flushed` says when all is durable, which it is before
   * the end of the attempt is. @throws stream_full, PayloadError; then also at every later write
   */
  async write(stream: string, chunk: unknown): Promise<void> {
    if (this.#failed !== undefined) throw this.#failed
    if (stream.length === 0 || stream.length > maxNameChars) {
      throw new RangeError(`The name of a stream has 1 to ${maxNameChars} characters.`)
    }
    const data = toJson(chunk, `A chunk of stream ${stream}`)
    const chars = typeof data === 'string' ? data.length : JSON.stringify(data).length
    if (chars > maxChunkChars) {
      throw problem('stream_full', { detail: `A chunk of a stream has at most ${maxChunkChars} characters.` })
    }
    this.#pending.push({ stream, data, chars })
    this.#charsAhead += chars
    this.#writing ??= this.#writeAll()
    if (this.#charsAhead > maxCharsAhead) await this.#writing
    if (this.#failed !== undefined) throw this.#failed
  }

  /** Resolves when everything written is durable or given up; undefined when nothing is under way. Never rejects. */
  flushed(): Promise<void> | undefined {
    return this.#writing
  }

  async #writeAll(): Promise<void> {
    for (let next = this.#next(); next.length > 0; next = this.#next()) {
      try {
        await this.#append(this.#commandOf(next))
      } catch (error) {
        return this.#giveUp(error)
      }
      this.#pending.splice(0, next.length)
      for (const { chars } of next) this.#charsAhead -= chars
    }
    this.#writing = undefined
  }

  /** An outage may have taken the answer and not the write: what is sent again is the same, and appended once. */
  async #append(command: Append): Promise<void> {
    const { stream } = command
    const again: Append = { ...command, againAfter: this.#known.get(stream) ?? 0 }
    for (let tries = 1; ; tries++) {
      try {
        const { lastOffset } = await this.#options.store.write(tries === 1 ? command : again)
        this.#known.set(stream, lastOffset)
        return
      } catch (error) {
        if (!isProblem(error, 'store_unavailable') || tries >= maxTries) throw error
        await delay(outagePauseMs)
      }
    }
  }

  /** The longest beginning of what is pending that goes into one row. */
  #next(): Pending[] {
    const [first] = this.#pending
    if (first === undefined) return []
    let chars = 0
    let count = 0
    for (const one of this.#pending) {
      if (one.stream !== first.stream || count === maxChunksPerWrite) break
      if (count > 0 && chars + one.chars > maxCharsPerWrite) break
      chars += one.chars
      count += 1
    }
    return this.#pending.slice(0, count)
  }

  #commandOf(next: readonly Pending[]): Append {
    const { clock, runId, step, attempt, epoch } = this.#options
    return {
      kind: 'append_stream',
      runId,
      stream: next[0]?.stream ?? '',
      chunks: next.map(({ data }) => data),
      step,
      attempt,
      timeMs: clock.nowMs(),
      maxBytes: maxStreamBytes,
      maxStreams,
      ...(epoch === undefined ? {} : { epoch }),
    }
  }

  #giveUp(error: unknown): void {
    this.#writing = undefined
    this.#failed = error instanceof Error ? error : new Error(String(error))
    this.#pending = []
    this.#charsAhead = 0
  }
}

const rowsPerRead = 50

/** Follows one stream of a run from `afterOffset`, to the end of the run. @throws run_not_found */
export async function* followStream(
  store: Store,
  runId: string,
  stream: string,
  afterOffset: number,
  signal: AbortSignal,
): AsyncGenerator<readonly StreamChunk[]> {
  let after = afterOffset
  // Listening begins before the first read, so that nothing falls between the two.
  const over = new AbortController()
  const both = AbortSignal.any([signal, over.signal])
  const changes = store.streams.changes(runId, both)[Symbol.asyncIterator]()
  try {
    let changed = changes.next()
    let ended: Promise<boolean> = untilEnded(store, runId, await store.events.head(), both)
    for (;;) {
      const run = await store.runs.get(runId)
      if (run === undefined) throw problem('run_not_found', { detail: `There is no run ${runId}.` })
      let chunks = await store.streams.read(runId, stream, { after, limit: rowsPerRead })
      while (chunks.length > 0 && !signal.aborted) {
        yield chunks
        after = chunks.at(-1)?.offset ?? after
        chunks = await store.streams.read(runId, stream, { after, limit: rowsPerRead })
      }
      if (signal.aborted || isTerminal(run.status)) return
      if (await Promise.race([changed.then(() => true), ended])) changed = changes.next()
      // Once is enough: from here on only the chunks are waited for.
      else ended = new Promise(() => {})
    }
  } finally {
    over.abort()
  }
}

/** Resolves with false when the run has ended after event `after`, or nobody reads any more. Never rejects. */
async function untilEnded(store: Store, runId: string, after: number, signal: AbortSignal): Promise<false> {
  try {
    for await (const batch of store.events.follow({ after, runId }, signal)) {
      if ('events' in batch && batch.events.some(({ type }) => isRunEnd(type))) return false
    }
  } catch {
    // The other way to notice the end, a look every second, is slower and as sure.
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  }
  return false
}
