import type { EngineClock } from '../embedded/timers.ts'

/** What happens within this time is read, and written, together. */
const leastMs = 25
/** For each run that has news as well: 250 of them and more are read every two seconds. */
const perRunMs = 8
const mostMs = 2_000

/**
 * How long to let news of a run gather before more is read. Each answer of the cluster and each commit has its price,
 * so that fewer and larger ones are read while many runs move; runs that sleep do not count.
 */
export class ReadPace {
  readonly #clock: Pick<EngineClock, 'sleep'>
  /** Runs whose news gather now. */
  #moving = 0

  constructor(clock: Pick<EngineClock, 'sleep'>) {
    this.#clock = clock
  }

  /** There was news of a run: resolves when more of it is to be read, or `signal` aborts. */
  async gather(signal: AbortSignal): Promise<void> {
    this.#moving += 1
    const pauseMs = Math.min(mostMs, Math.max(leastMs, this.#moving * perRunMs))
    try {
      await this.#clock.sleep(pauseMs, signal)
    } catch {
      // The reader looks at the signal itself.
    } finally {
      this.#moving -= 1
    }
  }
}
