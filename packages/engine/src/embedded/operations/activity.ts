import type { NewRunEvent } from '@kyros/store/command'

/** The time in which attempts of a run ran, by its log: each moment counts once, however many ran at the same time. */
export class Activity {
  #doneMs = 0
  #sinceMs = 0
  #lastMs = 0
  /** What is older happened to the run that this one was forked from. */
  #ownFromMs = 0
  /** Made when the first attempt is seen: most histories that are folded are of runs about to begin. */
  #running: Set<number> | undefined

  /** Folds one event, in order. */
  fold(event: NewRunEvent): void {
    if (event.type === 'run.forked') this.#ownFromMs = event.timeMs
    if (event.timeMs < this.#ownFromMs) return
    switch (event.type) {
      case 'step.started':
        this.#begin(event.data.command, event.timeMs)
        break
      case 'step.completed':
      case 'step.failed':
      case 'step.cancelled':
        this.#end(event.data.command, event.timeMs)
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
    const isRunning = this.#running !== undefined && this.#running.size > 0
    return this.#doneMs + (isRunning ? Math.max(0, this.#lastMs - this.#sinceMs) : 0)
  }

  #begin(command: number, timeMs: number): void {
    this.#running ??= new Set()
    // Under way already: its process died after the event before this one.
    if (this.#running.has(command)) {
      this.#doneMs = this.totalMs
      this.#running.clear()
    }
    if (this.#running.size === 0) this.#sinceMs = timeMs
    this.#running.add(command)
  }

  #end(command: number, timeMs: number): void {
    if (this.#running?.delete(command) && this.#running.size === 0) {
      this.#doneMs += Math.max(0, timeMs - this.#sinceMs)
    }
  }
}
