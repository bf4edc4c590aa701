import type { Clock } from '@kyros/kernel/clock'
import type { Log } from '@kyros/kernel/log'
import type { Store } from '@kyros/store/store'
import type { LoginThrottle } from './login-throttle.ts'
import type { Passwords } from './password.ts'
import type { AccessTokens } from './token.ts'
import type { StoreVerifier } from './verifier.ts'

/** What the use cases of signing in and out work with. */
export type AuthContext = {
  readonly store: Store
  readonly clock: Clock
  readonly newId: () => string
  readonly log: Log
  readonly tokens: AccessTokens
  readonly passwords: Passwords
  readonly throttle: LoginThrottle
  readonly verifier: StoreVerifier
  /** How long a session lives without use. */
  readonly sessionIdleMs: number
  /** How long a refresh token that was just used still works: tabs and lost answers race. */
  readonly refreshGraceMs: number
}

/** Who signs in from where; goes into the session and the log. */
export type Visitor = {
  client: string
  address: string
}
