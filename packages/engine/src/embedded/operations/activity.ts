import type { NewRunEvent } from '@kyros/store/command'

/** The time in which attempts of a run ran, by its log: each moment counts once, however many ran at the same time. */
export class Activity {
  #doneMs = 0
  #sinceMs = 0
  #lastMs = 0
  readonly #running = new Set<number>()

  /** Folds one event, in order. */
  fold(event: NewRunEvent): void {
    switch (event.type) {
      case 'step.started':
        // Under way already: its process died after the event before this one.
        if (this.#running.has(event.data.command)) this.#stopAll()
        if (this.#running.size === 0) this.#sinceMs = event.timeMs
        this.#running.add(event.data.command)
        break
      case 'step.completed':
      case 'step.failed':
      case 'step.cancelled':
        if (!this.#running.delete(event.data.command) || this.#running.size > 0) break
        this.#doneMs += Math.max(0, event.timeMs - this.#sinceMs)
        break
      case 'run.continued':
        this.#doneMs = event.data.before?.active_ms ?? this.#doneMs
        break
      default:
    }
    this.#lastMs = event.timeMs
  }

  /** What still runs in the log was cut off after its last event. */
  get totalMs(): number {
    return this.#doneMs + (this.#running.size === 0 ? 0 : Math.max(0, this.#lastMs - this.#sinceMs))
  }

  #stopAll(): void {
    this.#doneMs = this.totalMs
    this.#running.clear()
  }
}
