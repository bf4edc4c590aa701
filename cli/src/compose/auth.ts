import { systemClock } from '@kyros/kernel/clock'
import type { Log } from '@kyros/kernel/log'
import { type Auth, createAuth } from '@kyros/orchestrator/auth/create-auth'
import { ensureFirstAdmin, type FirstAdmin } from '@kyros/orchestrator/auth/ensure-first-admin'
import { createLocalCredential } from '@kyros/orchestrator/auth/local-credential'
import type { Store } from '@kyros/store/store'
import type { Config } from '../config.ts'

type AuthInput = {
  config: Config
  secretKey: string
  /** Where the credential of the local command line goes. */
  credentialDir: string
  store: Store
  newId: () => string
  log: Log
}

export type ComposedAuth = {
  verifier: Auth['verifier']
  routes: Auth['registerRoutes']
  ensureFirstAdmin(): Promise<void>
  /** The admin that this start has made, with the password if it was generated. */
  firstAdmin(): FirstAdmin | undefined
}

const minuteMs = 60_000
const dayMs = 86_400_000
const loginWindowMs = 15 * minuteMs

/** Who may come in: sessions and keys of the store, and the command line of this machine. */
export async function composeAuth(input: AuthInput): Promise<ComposedAuth> {
  const { store, newId, log, credentialDir } = input
  const { auth, rate_limits: limits } = input.config
  const clock = systemClock
  const { verifier, registerRoutes } = createAuth({
    store,
    secretKey: input.secretKey,
    previousSecretKeys: input.config.security.previous_secret_keys ?? [],
    clock,
    newId,
    log,
    localToken: await createLocalCredential(credentialDir),
    accessTokenSeconds: auth.access_token_minutes * 60,
    sessionIdleMs: auth.refresh_token_days * dayMs,
    refreshGraceMs: auth.refresh_grace_seconds * 1_000,
    loginLimits: {
      perAccount: { calls: limits.login_per_account, windowMs: loginWindowMs },
      perAddress: { calls: limits.login_per_address, windowMs: loginWindowMs },
    },
  })
  let made: FirstAdmin | undefined
  return {
    verifier,
    routes: registerRoutes,
    firstAdmin: () => made,
    ensureFirstAdmin: async () => {
      const { admin_email: email, admin_password: password } = auth
      const admin = await ensureFirstAdmin({ store, newId, clock, email, password })
      if (admin.created) made = admin
    },
  }
}
