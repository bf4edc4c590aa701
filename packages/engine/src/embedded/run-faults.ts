import { textOf } from '../error-text.ts'
import type { EngineClock } from './timers.ts'

const maxFaults = 5
// Faults further apart than this have nothing to do with each other.
const apartMs = 60_000
const maxRuns = 10_000

type Faults = { count: number; lastMs: number; last: string }

/** Runs that meet a fault of the engine, and are read again for it: one that does so again and again is let be. */
export class RunFaults {
  readonly #clock: Pick<EngineClock, 'nowMs'>
  readonly #faults = new Map<string, Faults>()

  constructor(clock: Pick<EngineClock, 'nowMs'>) {
    this.#clock = clock
  }

  note(runId: string, error: unknown): void {
    const nowMs = this.#clock.nowMs()
    const known = this.#faults.get(runId)
    const isNear = known !== undefined && nowMs - known.lastMs < apartMs
    this.#faults.delete(runId)
    this.#faults.set(runId, { count: isNear ? known.count + 1 : 1, lastMs: nowMs, last: textOf(error) })
    if (this.#faults.size <= maxRuns) return
    for (const oldest of this.#faults.keys()) {
      this.#faults.delete(oldest)
      return
    }
  }

  /** Why the run is not to be moved, which holds until it is forgotten or the engine ends; undefined when it is. */
  blocks(runId: string): string | undefined {
    const known = this.#faults.get(runId)
    if (known === undefined || known.count < maxFaults) return undefined
    return `The engine met a fault with this run ${known.count} times in a row, the last time: ${known.last}. It is taken up again when its definition is upgraded, or at the next start.`
  }

  forget(runId: string): void {
    this.#faults.delete(runId)
  }
}
