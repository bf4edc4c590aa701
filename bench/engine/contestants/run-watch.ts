import type { Command } from '@kyros/store/command'
import type { Store } from '@kyros/store/store'

type Moment = 'run.waiting' | 'end'

const ends = new Set(['run.completed', 'run.failed', 'run.cancelled', 'run.timed_out'])

/**
 * Sees runs end once the commit that ends them is on disk, on the way of the writes through the store's port: nothing
 * is read for it, which the measured process would have to pay for.
 */
export class RunWatch {
  readonly store: Store
  /** Runs that ended other than completed, since the start. */
  failures = 0
  readonly #waiting = new Map<string, { moment: Moment; resolve: () => void }>()

  constructor(store: Store) {
    // The port ties a command to its result by one generic parameter; watching passes both on unchanged.
    const commit = store.write as (command: Command) => Promise<unknown>
    const write = async (command: Command) => {
      const result = await commit(command)
      this.#observe(command)
      return result
    }
    // The same border, the other way.
    this.store = { ...store, write: write as Store['write'] }
  }

  /** Resolves when the run has durably come to `moment`; call it before the run is submitted. */
  next(runId: string, moment: Moment): Promise<void> {
    return new Promise((resolve) => this.#waiting.set(runId, { moment, resolve }))
  }

  #observe(command: Command): void {
    switch (command.kind) {
      case 'submit_job':
        // A run may come as far as its first commit does.
        this.#look(command.run.id, command.events)
        break
      case 'append_run_events':
        this.#look(command.runId, command.events)
        break
      case 'append_many':
        for (const { runId, events } of command.appends) this.#look(runId, events)
        break
      default:
        break
    }
  }

  #look(runId: string, events: readonly { type: string }[]): void {
    for (const { type } of events) {
      const isEnd = ends.has(type)
      if (!isEnd && type !== 'run.waiting') continue
      if (isEnd && type !== 'run.completed') this.failures++
      const waiting = this.#waiting.get(runId)
      if (waiting === undefined || (isEnd ? 'end' : type) !== waiting.moment) continue
      this.#waiting.delete(runId)
      waiting.resolve()
    }
  }
}
