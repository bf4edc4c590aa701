import type { Clock } from './clock.ts'

export type RateLimit = {
  /** Calls allowed per `windowMs`, all at once if the caller was quiet before. */
  calls: number
  windowMs: number
}

export type RateDecision = {
  allowed: boolean
  remaining: number
  /** Until the whole allowance is back. */
  resetSeconds: number
  /** Until one more call is allowed; 0 when `allowed`. */
  retryAfterSeconds: number
}

export type RateLimiter = {
  readonly limit: RateLimit
  /** What `take` would answer, without spending anything. */
  peek(key: string): RateDecision
  /** Spends one call of `key`. */
  take(key: string): RateDecision
  /** Gives the last call of `key` back. */
  refund(key: string): void
}

const defaultMaxKeys = 50_000

/**
 * A limiter in memory (GCRA: one number per key, no timers). When `maxKeys` are known the one that was quiet for
 * longest is forgotten, so that a flood of new addresses cannot fill the memory.
 */
export function createRateLimiter(limit: RateLimit, clock: Clock, maxKeys = defaultMaxKeys): RateLimiter {
  const emissionMs = limit.windowMs / limit.calls
  /** Key → theoretical arrival time: the moment at which the key will have its whole allowance again. */
  const arrivals = new Map<string, number>()

  function look(key: string): { nowMs: number; arrivalMs: number; allowed: boolean } {
    const nowMs = clock.nowMs()
    const arrivalMs = Math.max(arrivals.get(key) ?? nowMs, nowMs)
    // The tolerance covers floating-point dust of calls that do not divide the window.
    return { nowMs, arrivalMs, allowed: arrivalMs + emissionMs - nowMs <= limit.windowMs + 0.001 }
  }

  function describe(nowMs: number, arrivalMs: number, allowed: boolean): RateDecision {
    const usedMs = arrivalMs - nowMs
    return {
      allowed,
      remaining: Math.max(0, Math.floor((limit.windowMs - usedMs) / emissionMs + 0.001)),
      resetSeconds: Math.ceil(usedMs / 1000),
      retryAfterSeconds: allowed ? 0 : Math.max(1, Math.ceil((usedMs + emissionMs - limit.windowMs) / 1000)),
    }
  }

  return {
    limit,
    peek: (key) => {
      const { nowMs, arrivalMs, allowed } = look(key)
      return describe(nowMs, arrivalMs, allowed)
    },
    take: (key) => {
      const { nowMs, arrivalMs, allowed } = look(key)
      if (!allowed) return describe(nowMs, arrivalMs, false)
      const nextMs = arrivalMs + emissionMs
      arrivals.delete(key)
      arrivals.set(key, nextMs)
      if (arrivals.size > maxKeys) forgetOldest(arrivals)
      return describe(nowMs, nextMs, true)
    },
    refund: (key) => {
      const arrivalMs = arrivals.get(key)
      if (arrivalMs !== undefined) arrivals.set(key, arrivalMs - emissionMs)
    },
  }
}

function forgetOldest(arrivals: Map<string, number>): void {
  const oldest = arrivals.keys().next()
  if (!oldest.done) arrivals.delete(oldest.value)
}

/** The two fields of draft-ietf-httpapi-ratelimit-headers. */
export function rateLimitHeaders(limit: RateLimit, decision: RateDecision): Record<string, string> {
  return {
    'ratelimit-policy': `"default";q=${limit.calls};w=${Math.round(limit.windowMs / 1000)}`,
    ratelimit: `"default";r=${decision.remaining};t=${decision.resetSeconds}`,
  }
}
