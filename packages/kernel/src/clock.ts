import { setTimeout as delay } from 'node:timers/promises'

/** Where time comes from. Everything that waits or stamps takes one, so that tests can move it by hand. */
export type Clock = {
  /** Milliseconds since 1970. */
  nowMs(): number
  /** Rejects with the signal's reason when `signal` aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** The machine's clock. A sleeping wait does not keep the process alive. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleep: async (ms, signal) => {
    try {
      await delay(ms, undefined, { ref: false, ...(signal && { signal }) })
    } catch (error) {
      throw signal?.aborted ? signal.reason : error
    }
  },
}
