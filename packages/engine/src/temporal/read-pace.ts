import type { EngineClock } from '../embedded/timers.ts'

/** What happens within this time is read, and written, together. */
const leastMs = 25
/** For each run that has news as well: 125 of them and more are read once a second. */
const perRunMs = 8
const mostMs = 1_000
const windowMs = 2_000

/**
 * How long to let news of a run gather before more is read. Each answer of the cluster and each commit has its price,
 * so that fewer and larger ones are read while many runs move; runs that sleep do not count.
 */
export class ReadPace {
  readonly #clock: Pick<EngineClock, 'nowMs'>
  #sinceMs = 0
  #before = 0
  #moving = new Set<string>()

  constructor(clock: Pick<EngineClock, 'nowMs'>) {
    this.#clock = clock
  }

  /** There was news of this run; answers how long to wait before the next. */
  pauseMs(runId: string): number {
    const nowMs = this.#clock.nowMs()
    if (nowMs - this.#sinceMs >= windowMs) {
      this.#before = nowMs - this.#sinceMs < 2 * windowMs ? this.#moving.size : 0
      this.#moving = new Set()
      this.#sinceMs = nowMs
    }
    this.#moving.add(runId)
    const moving = Math.max(this.#before, this.#moving.size)
    return Math.min(mostMs, Math.max(leastMs, moving * perRunMs))
  }
}
