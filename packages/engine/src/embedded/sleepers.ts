import { SleeperTable } from './sleeper-table.ts'
import type { Timer, Timers } from './timers.ts'

// Fired together: whoever wakes them reads them from the store together.
const wokenAtOnce = 500

/**
 * Runs that are not in memory, and when each of them has to be: some fifty bytes for one that sleeps, so that a
 * million of them is no burden.
 */
export class Sleepers {
  readonly #timers: Timers
  readonly #onDue: (runIds: readonly string[]) => void
  readonly #table = new SleeperTable()
  #armed: Timer | undefined

  constructor(timers: Timers, onDue: (runIds: readonly string[]) => void) {
    this.#timers = timers
    this.#onDue = onDue
  }

  get size(): number {
    return this.#table.size
  }

  has(runId: string): boolean {
    return this.#table.has(runId)
  }

  /** `dueMs` may be Infinity: only somebody from outside wakes the run. @throws when the id is no UUID */
  add(runId: string, dueMs: number): void {
    if (!this.#table.set(runId, dueMs)) throw new TypeError(`The run ${runId} has no UUID`)
    this.#arm()
  }

  delete(runId: string): void {
    this.#table.delete(runId)
  }

  clear(): void {
    this.#armed?.cancel()
    this.#armed = undefined
    this.#table.clear()
  }

  #arm(): void {
    const { firstMs } = this.#table
    if (firstMs === undefined || (this.#armed !== undefined && this.#armed.dueMs <= firstMs)) return
    this.#armed?.cancel()
    this.#armed = this.#timers.at(firstMs, () => this.#wake(firstMs))
  }

  #wake(untilMs: number): void {
    this.#armed = undefined
    const due: string[] = []
    while (due.length < wokenAtOnce) {
      // It stays known until somebody has it in memory: nobody must take it for lost meanwhile.
      const runId = this.#table.takeDue(untilMs)
      if (runId === undefined) break
      due.push(runId)
    }
    this.#arm()
    if (due.length > 0) this.#onDue(due)
  }
}
