import type { Timer, Timers } from './timers.ts'

// Fired together: whoever wakes them reads them from the store together.
const wokenAtOnce = 500

/**
 * Runs that are not in memory, and when each of them has to be: about a hundred bytes for one that sleeps, so that a
 * million of them is no burden.
 */
export class Sleepers {
  readonly #timers: Timers
  readonly #onDue: (runIds: readonly string[]) => void
  /** What holds of a run; the heap may still have its earlier times. */
  readonly #dueMs = new Map<string, number>()
  /** A binary heap by time, in two arrays. */
  #heapMs: number[] = []
  #heapIds: string[] = []
  #armed: Timer | undefined

  constructor(timers: Timers, onDue: (runIds: readonly string[]) => void) {
    this.#timers = timers
    this.#onDue = onDue
  }

  get size(): number {
    return this.#dueMs.size
  }

  has(runId: string): boolean {
    return this.#dueMs.has(runId)
  }

  /** `dueMs` may be Infinity: only somebody from outside wakes the run. */
  add(runId: string, dueMs: number): void {
    const before = this.#dueMs.get(runId)
    this.#dueMs.set(runId, dueMs)
    if (dueMs === Infinity || before === dueMs) return
    this.#push(dueMs, runId)
    this.#arm()
  }

  delete(runId: string): void {
    this.#dueMs.delete(runId)
    if (this.#heapIds.length > wokenAtOnce && this.#heapIds.length > 4 * this.#dueMs.size) this.#rebuild()
  }

  clear(): void {
    this.#armed?.cancel()
    this.#armed = undefined
    this.#dueMs.clear()
    this.#heapMs = []
    this.#heapIds = []
  }

  #arm(): void {
    const firstMs = this.#heapMs[0]
    if (firstMs === undefined || (this.#armed !== undefined && this.#armed.dueMs <= firstMs)) return
    this.#armed?.cancel()
    this.#armed = this.#timers.at(firstMs, () => this.#wake(firstMs))
  }

  #wake(untilMs: number): void {
    this.#armed = undefined
    const due: string[] = []
    while (due.length < wokenAtOnce && (this.#heapMs[0] ?? Infinity) <= untilMs) {
      const [dueMs, runId] = [this.#heapMs[0], this.#heapIds[0]]
      this.#removeFirst()
      if (runId === undefined || this.#dueMs.get(runId) !== dueMs) continue
      // It stays known until somebody has it in memory: nobody must take it for lost meanwhile.
      this.#dueMs.set(runId, Infinity)
      due.push(runId)
    }
    this.#arm()
    if (due.length > 0) this.#onDue(due)
  }

  #push(ms: number, id: string): void {
    const [times, ids] = [this.#heapMs, this.#heapIds]
    let index = times.push(ms) - 1
    ids.push(id)
    while (index > 0) {
      const above = (index - 1) >> 1
      if ((times[above] ?? 0) <= ms) break
      times[index] = times[above] ?? 0
      ids[index] = ids[above] ?? ''
      index = above
    }
    times[index] = ms
    ids[index] = id
  }

  #removeFirst(): void {
    const [times, ids] = [this.#heapMs, this.#heapIds]
    const [ms, id] = [times.pop(), ids.pop()]
    if (ms === undefined || id === undefined || times.length === 0) return
    let index = 0
    for (;;) {
      const left = 2 * index + 1
      if (left >= times.length) break
      const isRight = left + 1 < times.length && (times[left + 1] ?? 0) < (times[left] ?? 0)
      const child = isRight ? left + 1 : left
      if ((times[child] ?? 0) >= ms) break
      times[index] = times[child] ?? 0
      ids[index] = ids[child] ?? ''
      index = child
    }
    times[index] = ms
    ids[index] = id
  }

  /** Drops times that do not hold any more. */
  #rebuild(): void {
    this.#heapMs = []
    this.#heapIds = []
    for (const [runId, dueMs] of this.#dueMs) if (dueMs !== Infinity) this.#push(dueMs, runId)
  }
}
