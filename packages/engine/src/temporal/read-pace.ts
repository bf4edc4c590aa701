import type { EngineClock } from '../embedded/timers.ts'

/** What happens within this time is read, and written, together. */
const leastMs = 25
/** For each run that has news as well: 125 of them and more are read every two seconds. */
const perRunMs = 16
const mostMs = 2_000

/**
 * How long news of runs gather before more of them is read. Each answer of the cluster and each commit has its price: the
 * more runs move, the fewer and larger they are, and all runs are read at the same moments, so that they share commits.
 * Runs that sleep do not count.
 */
export class ReadPace {
  readonly #clock: Pick<EngineClock, 'sleep'>
  #next: Promise<void> | undefined
  /** Runs that wait for the next moment. */
  #waiting = 0
  /** Runs that were read at the last one. */
  #moving = 0

  constructor(clock: Pick<EngineClock, 'sleep'>) {
    this.#clock = clock
  }

  /** There was news of a run: resolves when more of it is to be read. All who read end with the same signal. */
  gather(signal: AbortSignal): Promise<void> {
    this.#waiting += 1
    this.#next ??= this.#wait(signal)
    return this.#next
  }

  async #wait(signal: AbortSignal): Promise<void> {
    const pauseMs = Math.min(mostMs, Math.max(leastMs, this.#moving * perRunMs))
    await this.#clock.sleep(pauseMs, signal).catch(() => {})
    this.#moving = this.#waiting
    this.#waiting = 0
    this.#next = undefined
  }
}
