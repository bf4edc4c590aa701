import type { StepContext } from '@kyros/workflows/step-context'

const intervalMs = 1_000
const logEvery = 5

/** Passes progress on as heartbeats, at most one a second, and every few of them as a log line. */
export class ProgressReport {
  readonly #step: StepContext
  #lastAtMs = 0
  #sent = 0

  constructor(step: StepContext) {
    this.#step = step
  }

  report(what: string, done: number, total?: number): void {
    // Monotonic, and only to thin out messages: no result depends on it.
    const nowMs = performance.now()
    if (nowMs - this.#lastAtMs < intervalMs) return
    this.#lastAtMs = nowMs
    this.#step.heartbeat(total === undefined ? { what, done } : { what, done, total })
    if (this.#sent++ % logEvery === 0) {
      this.#step.log('info', total === undefined ? `${what}: ${done}` : `${what}: ${done} of ${total}`)
    }
  }
}
