import type { EngineClock } from './timers.ts'

/** True when `work` is done within the time, false when it is still under way then. @throws what `work` throws in time */
export async function isInTime(
  work: Promise<unknown>,
  clock: EngineClock,
  longestMs: number,
): Promise<boolean> {
  const waiting = new AbortController()
  const tooLong = clock.sleep(longestMs, waiting.signal).then(
    () => false,
    () => false,
  )
  // Whoever gave up on it does not hear of its end.
  work.catch(() => {})
  try {
    return await Promise.race([work.then(() => true), tooLong])
  } finally {
    waiting.abort()
  }
}
