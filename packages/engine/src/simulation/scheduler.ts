import { AsyncLocalStorage } from 'node:async_hooks'
import { popFromHeap, pushToHeap } from '../heap.ts'
import { hashText, type Random } from './random.ts'

/** One process from its start to its end. What belongs to a life that is over never happens. */
export type Life = {
  readonly name: string
  isOver: boolean
  /** The process stands still until then, as in a long garbage collection; it does not know. */
  stalledUntilMs: number
  /** By how much its clock differs from the world's. */
  skewMs: number
}

type Happening = {
  atMs: number
  tie: number
  life: Life | undefined
  what: string
  run: () => void
  over: boolean
}

const lives = new AsyncLocalStorage<Life>()

/** Makes a process stand still until then, or for longer if it already does. */
export function stall(life: Life, untilMs: number): void {
  life.stalledUntilMs = Math.max(life.stalledUntilMs, untilMs)
}

/** Runs `body` so that what it starts, also later, belongs to `life`. */
export function inLife<T>(life: Life, body: () => T): T {
  return lives.run(life, body)
}

/** Whose code runs now; undefined: the world's. */
export function currentLife(): Life | undefined {
  return lives.getStore()
}

// The engine's own turns must not stop the loop for ever; a world has some thousand happenings.
const maxHappenings = 400_000

/**
 * The world of one seed: its time, and everything that will happen. Happenings come one at a time, in the order of their
 * times and by dice among equals, and each goes as far as it can before the next.
 */
export class Scheduler {
  nowMs: number
  readonly random: Random
  /** Fingerprint of everything that happened: the same seed must give the same. */
  fingerprint = 0
  happenings = 0
  readonly #heap: Happening[] = []
  readonly #onTrace: ((line: string) => void) | undefined
  readonly #drain: () => Promise<void>

  constructor(options: {
    startMs: number
    random: Random
    /** Resolves when no code can go on by itself. */
    drain: () => Promise<void>
    onTrace?: ((line: string) => void) | undefined
  }) {
    this.nowMs = options.startMs
    this.random = options.random
    this.#drain = options.drain
    this.#onTrace = options.onTrace
  }

  /** Lets `run` happen after `delayMs`, unless it is called off, or is the doing of a life that is over by then. */
  after(delayMs: number, what: string, run: () => void, life?: Life): () => void {
    const atMs = this.nowMs + Math.max(0, Math.ceil(delayMs))
    const happening: Happening = { atMs, tie: this.random.next(), life, what, run, over: false }
    pushToHeap(this.#heap, happening, before)
    return () => {
      happening.over = true
    }
  }

  /** Writes a line into the trace. */
  note(line: string): void {
    const text = `${this.nowMs} ${line}`
    this.fingerprint = hashText(text, this.fingerprint)
    this.#onTrace?.(text)
  }

  /** Goes on until `isDone`, or nothing can happen, or `untilMs`, or a bound that only a spinning engine reaches. */
  async run(isDone: () => boolean, untilMs: number): Promise<'done' | 'idle' | 'late' | 'spinning'> {
    await this.#drain()
    while (!isDone()) {
      const next = popFromHeap(this.#heap, before)
      if (next === undefined) return 'idle'
      if (next.over || next.life?.isOver === true) continue
      if (next.life !== undefined && next.life.stalledUntilMs > Math.max(next.atMs, this.nowMs)) {
        next.atMs = next.life.stalledUntilMs
        pushToHeap(this.#heap, next, before)
        continue
      }
      if (next.atMs > untilMs) return 'late'
      if (++this.happenings > maxHappenings) return 'spinning'
      this.nowMs = Math.max(this.nowMs, next.atMs)
      this.note(`${next.life?.name ?? 'world'} ${next.what}`)
      if (next.life === undefined) next.run()
      else lives.run(next.life, next.run)
      await this.#drain()
    }
    return 'done'
  }
}

const before = (a: Happening, b: Happening) => a.atMs < b.atMs || (a.atMs === b.atMs && a.tie < b.tie)
