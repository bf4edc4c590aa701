import type { EngineClock } from '../embedded/timers.ts'
import type { Random } from './random.ts'
import type { Life, Scheduler } from './scheduler.ts'

/** The clock of one life. Sleepers wake late now and then, never early by the world's time. */
export function createSimulatedClock(scheduler: Scheduler, life: Life, random: Random): EngineClock {
  return {
    nowMs: () => scheduler.nowMs + life.skewMs,
    elapsedMs: () => scheduler.nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) return reject(signal.reason)
        const cancel = scheduler.after(
          ms + random.small(0, 4),
          'wakes',
          () => {
            signal?.removeEventListener('abort', onAbort)
            resolve()
          },
          life,
        )
        const onAbort = () => {
          cancel()
          reject(signal?.reason)
        }
        signal?.addEventListener('abort', onAbort, { once: true })
      }),
  }
}
