import type { Clock } from './clock.ts'
import type { CookieNames } from './cookies.ts'
import type { Life } from './life.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { RateLimiter } from './rate-limit.ts'
import type { StreamLimits } from './sse.ts'
import type { Caller, Verifier } from './verifier.ts'

/** What the routes of one app share; `createApp` makes it and `app.edge` carries it. */
export type Edge = {
  readonly verifier: Verifier
  readonly clock: Clock
  readonly log: Log
  readonly life: Life
  readonly cookies: CookieNames
  readonly allowedOrigins: ReadonlySet<string>
  readonly limiter: RateLimiter | undefined
  readonly streams: StreamLimits
  readonly metrics: Metrics | undefined
  /** `METHOD|principal|route|key` of creations that are being answered now. */
  readonly inFlightKeys: Set<string>
}

declare module 'fastify' {
  interface FastifyInstance {
    edge: Edge
  }
  interface FastifyRequest {
    /** Set by `registerRoute` once the credentials are checked; undefined on public routes. */
    caller: Caller | undefined
    traceparent: string | undefined
    /** The caller's address: the peer's, or what a trusted proxy says. */
    startedMs: number
  }
}
