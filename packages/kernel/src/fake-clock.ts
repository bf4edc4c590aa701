import type { Clock } from './clock.ts'

type Sleeper = { dueMs: number; wake: () => void }

export type FakeClock = Clock & {
  /** Moves time on and wakes, in order, who was due by then. */
  advance(ms: number): Promise<void>
}

/** A clock that stands still until a test moves it. */
export function fakeClock(startMs = Date.UTC(2026, 0, 1)): FakeClock {
  let nowMs = startMs
  const sleepers = new Set<Sleeper>()
  return {
    nowMs: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { dueMs: nowMs + ms, wake: resolve }
        if (signal?.aborted) return reject(signal.reason)
        sleepers.add(sleeper)
        signal?.addEventListener('abort', () => {
          sleepers.delete(sleeper)
          reject(signal.reason)
        })
      }),
    advance: async (ms) => {
      const endMs = nowMs + ms
      for (let next = earliest(sleepers, endMs); next; next = earliest(sleepers, endMs)) {
        sleepers.delete(next)
        nowMs = Math.max(nowMs, next.dueMs)
        next.wake()
        // Lets the woken code run, so that a sleep it begins now is also seen.
        await new Promise(setImmediate)
      }
      nowMs = endMs
    },
  }
}

function earliest(sleepers: Set<Sleeper>, endMs: number): Sleeper | undefined {
  let first: Sleeper | undefined
  for (const sleeper of sleepers) {
    if (sleeper.dueMs <= endMs && (!first || sleeper.dueMs < first.dueMs)) first = sleeper
  }
  return first
}
