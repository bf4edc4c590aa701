import type { Clock } from '@kyros/kernel/clock'
import type { Log } from '@kyros/kernel/log'
import type { Store } from '@kyros/store/store'
import type { FastifyInstance } from 'fastify'
import type { LoginLimits } from './login-throttle.ts'
import { createAuthRoutes } from './routes.ts'
import { createAccessTokens } from './token.ts'
import { createVerifier, type StoreVerifier } from './verifier.ts'

export type AuthOptions = {
  store: Store
  secretKey: string
  /** Keys from before, whose tokens hold until they expire. */
  previousSecretKeys?: readonly string[]
  clock: Clock
  newId: () => string
  log: Log
  /** What `createLocalCredential` gave; without it the command line has to sign in. */
  localToken?: string | undefined
  accessTokenSeconds?: number
  sessionIdleMs?: number
  refreshGraceMs?: number
  loginLimits?: LoginLimits
}

export type Auth = {
  /** For `createApp`. */
  verifier: StoreVerifier
  /** Adds the routes under /auth to the app that has this verifier. */
  registerRoutes: (app: FastifyInstance) => void
}

/** Signing in, out and being recognised, over one store and one secret. */
export function createAuth(options: AuthOptions): Auth {
  const { secretKey, previousSecretKeys = [], clock, accessTokenSeconds, localToken, ...rest } = options
  const tokens = createAccessTokens({
    secretKey,
    previousSecretKeys,
    clock,
    ...(accessTokenSeconds !== undefined && { lifeSeconds: accessTokenSeconds }),
  })
  const verifier = createVerifier({ ...rest, clock, tokens, localToken })
  return { verifier, registerRoutes: createAuthRoutes({ ...rest, clock, tokens, verifier }) }
}
