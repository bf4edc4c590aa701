import { isProblem } from '@kyros/contract/problem'
import type { Store } from '@kyros/store/store'
import type { EngineLog } from './engine-parts.ts'
import type { EngineClock } from './timers.ts'

const firstPauseMs = 50
const longestPauseMs = 5000

/**
 * Blobs for what runs have to keep: a full disk or a database that is away makes the engine wait, as it does with the
 * journal. What a step has done is not to fail its run because it could not be kept at once. Ends with the engine.
 */
export function createPatientBlobs(
  blobs: Store['blobs'],
  options: { clock: EngineClock; log: EngineLog; isClosing: () => boolean },
): Store['blobs'] {
  return {
    get: (sha256) => blobs.get(sha256),
    async put(data) {
      for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
        try {
          return await blobs.put(data)
        } catch (error) {
          const mayPass = isProblem(error, 'storage_full') || isProblem(error, 'store_unavailable')
          if (!mayPass || options.isClosing()) throw error
          options.log('warn', `A large value is stored again in ${pauseMs} ms: ${String(error)}`)
          await options.clock.sleep(pauseMs)
        }
      }
    },
  }
}
