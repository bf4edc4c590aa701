import { setTimeout } from 'node:timers/promises'
import { defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client'

type Interceptor = ReturnType<typeof makeGrpcRetryInterceptor>

export type Retries = {
  /** Calls `maxTries` times at most, with growing pauses. */
  again(maxTries: number): Interceptor
  /** Resolves when no try is left to be made; from now on there are none. */
  end(): Promise<void>
}

const marginMs = 20

/**
 * The SDK tries again although its channel was closed meanwhile, and throws then where nobody can catch it: the channel
 * may only be closed after `end`.
 */
export function createRetries(): Retries {
  let isEnding = false
  let lastMs = 0
  return {
    again(maxTries) {
      const { delayFunction, retryableDecider } = defaultGrpcRetryOptions({ maxAttempts: maxTries })
      return makeGrpcRetryInterceptor({
        retryableDecider: (tries, status) => !isEnding && retryableDecider(tries, status),
        delayFunction(tries, status) {
          const pauseMs = delayFunction(tries, status)
          lastMs = Math.max(lastMs, performance.now() + pauseMs)
          return pauseMs
        },
      })
    },
    async end() {
      isEnding = true
      const leftMs = lastMs - performance.now()
      if (leftMs > 0) await setTimeout(leftMs + marginMs)
    },
  }
}
