import type { EngineClock } from '../embedded/timers.ts'

type Sleeper = { dueMs: number; isPoll: boolean; wake: () => void }

/** Time that passes only when it is told to. */
export class TestClock implements EngineClock {
  /** Nobody sets this clock while somebody sleeps. */
  readonly longestSleepMs = Number.MAX_SAFE_INTEGER
  #nowMs: number
  readonly #sleepers = new Set<Sleeper>()
  readonly #pollers = new WeakSet<AbortSignal>()

  constructor(startMs: number) {
    this.#nowMs = startMs
  }

  nowMs(): number {
    return this.#nowMs
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason)
      // Who sleeps again under the same signal looks for something every now and then, and holds no time back.
      const isPoll = signal !== undefined && this.#pollers.has(signal)
      if (signal !== undefined) this.#pollers.add(signal)
      const end = (settle: () => void) => {
        this.#sleepers.delete(sleeper)
        signal?.removeEventListener('abort', onAbort)
        settle()
      }
      const sleeper: Sleeper = { dueMs: this.#nowMs + Math.max(0, ms), isPoll, wake: () => end(resolve) }
      const onAbort = () => end(() => reject(signal?.reason))
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#sleepers.add(sleeper)
    })
  }

  /** When the next thing is due that somebody waits for; undefined when nothing is. */
  get nextDueMs(): number | undefined {
    const due = [...this.#sleepers].filter(({ isPoll }) => !isPoll).map(({ dueMs }) => dueMs)
    return due.length === 0 ? undefined : Math.min(...due)
  }

  /** From now on everybody who sleeps wakes at once: for the end. */
  async release(until: Promise<unknown>): Promise<void> {
    let isOver = false
    const end = () => {
      isOver = true
    }
    until.then(end, end)
    while (!isOver) {
      this.set(Math.max(this.#nowMs, ...[...this.#sleepers].map(({ dueMs }) => dueMs)))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await until
  }

  /** Sets the time and wakes who is due, in the order of their times. It never goes back. */
  set(nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs)
    const due = [...this.#sleepers].filter(({ dueMs }) => dueMs <= this.#nowMs)
    for (const sleeper of due.sort((a, b) => a.dueMs - b.dueMs)) sleeper.wake()
  }
}
