import type { NewRunEvent } from '@kyros/store/command'
import { isSeen } from './run-outcome.ts'

/** What a definition has to see again of the log of its run, one event in each turn. */
export class RunReplay {
  readonly #events: readonly NewRunEvent[]
  #next = 0

  constructor(events: readonly NewRunEvent[]) {
    this.#events = events.filter(isSeen)
  }

  /** The next one; undefined after the last. */
  next(): NewRunEvent | undefined {
    const event = this.#events[this.#next]
    this.#next += 1
    return event
  }

  /** True when it was shown everything. */
  get isOver(): boolean {
    return this.#next >= this.#events.length
  }
}
