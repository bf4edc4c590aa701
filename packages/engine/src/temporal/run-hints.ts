import type { Store } from '@kyros/store/store'
import type { EngineClock } from '../embedded/timers.ts'

/** Those of this time are told together; by then the cluster knows of the first. */
const gatherMs = 10
const maxGathered = 10_000

/** Tells whoever reads the histories of runs which of them are not to wait. What is lost is read a little later. */
export class RunHints {
  readonly #store: Pick<Store, 'hints'>
  readonly #clock: Pick<EngineClock, 'sleep'>
  #runs = new Set<string>()

  constructor(store: Pick<Store, 'hints'>, clock: Pick<EngineClock, 'sleep'>) {
    this.#store = store
    this.#clock = clock
  }

  add(runId: string): void {
    if (this.#runs.size === 0) void this.#send()
    if (this.#runs.size < maxGathered) this.#runs.add(runId)
  }

  async #send(): Promise<void> {
    await this.#clock.sleep(gatherMs).catch(() => {})
    const runIds = [...this.#runs]
    this.#runs = new Set()
    await this.#store.hints.send(runIds).catch(() => {})
  }
}
