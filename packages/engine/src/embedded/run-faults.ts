import { isProblem } from '@kyros/contract/problem'
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
  /** Why runs could not be read when that was last tried. */
  readonly #unread = new Map<string, string>()

  constructor(clock: Pick<EngineClock, 'nowMs'>) {
    this.#clock = clock
  }

  note(runId: string, error: unknown): void {
    const nowMs = this.#clock.nowMs()
    const known = this.#faults.get(runId)
    const isNear = known !== undefined && nowMs - known.lastMs < apartMs
    this.#faults.delete(runId)
    this.#faults.set(runId, { count: isNear ? known.count + 1 : 1, lastMs: nowMs, last: textOf(error) })
    forgetOldest(this.#faults)
  }

  /** The run could not be read; nothing is known of it but its record. An outage says nothing of the run. */
  notRead(runId: string, error: unknown): void {
    if (isProblem(error, 'store_unavailable')) return
    this.#unread.delete(runId)
    this.#unread.set(runId, textOf(error))
    forgetOldest(this.#unread)
  }

  wasRead(runId: string): void {
    this.#unread.delete(runId)
  }

  /** What keeps the run from going on, as far as its last try tells; undefined when nothing does. */
  last(runId: string): string | undefined {
    const unread = this.#unread.get(runId)
    if (unread !== undefined) return `the run cannot be read: ${unread}`
    const known = this.#faults.get(runId)
    if (known === undefined || this.#clock.nowMs() - known.lastMs >= apartMs) return undefined
    return `the engine met a fault with this run: ${known.last}`
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

function forgetOldest(map: Map<string, unknown>): void {
  if (map.size <= maxRuns) return
  for (const oldest of map.keys()) {
    map.delete(oldest)
    return
  }
}
