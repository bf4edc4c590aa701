import type { Tokens } from '@kyros/contract/auth'
import { problem } from '@kyros/contract/problem'
import type { RateDecision } from '@kyros/kernel/rate-limit'
import type { UserRecord } from '@kyros/store/store'
import type { AuthContext, Visitor } from './context.ts'
import { newRefreshToken } from './refresh-token.ts'

/**
 * Trades an e-mail address and a password for tokens; the session is durable when this resolves. What is wrong and
 * which users exist cannot be told from the answer or its time.
 * @throws credentials_invalid, rate_limit_exceeded
 */
export async function signIn(
  context: AuthContext,
  login: { username: string; password: string },
  visitor: Visitor,
): Promise<Tokens> {
  const { store, passwords, throttle } = context
  const email = login.username.trim().toLowerCase()
  const decision = throttle.take(email, visitor.address)
  if (!decision.allowed) throw await throttled(context, decision, visitor)
  const user = await store.users.byEmail(email)
  const { matches, outdated } = await passwords.verify(login.password, user?.password_hash)
  if (!user?.active || !matches) {
    await noteFailure(context, user, visitor)
    throw problem('credentials_invalid', { detail: 'The e-mail address or the password is wrong.' })
  }
  throttle.refund(email, visitor.address)
  if (outdated) await rehash(context, user, login.password)
  return startSession(context, user, visitor)
}

async function startSession(context: AuthContext, user: UserRecord, visitor: Visitor): Promise<Tokens> {
  const { store, tokens, newId, clock, sessionIdleMs } = context
  const nowMs = clock.nowMs()
  const sessionId = newId()
  const refresh = newRefreshToken(nowMs, sessionIdleMs)
  const { hash, expiresMs } = refresh
  await store.write({
    kind: 'create_session',
    session: { id: sessionId, userId: user.id, ...visitor, createdMs: nowMs, expiresMs },
    token: { id: newId(), hash, expiresMs },
    timeMs: nowMs,
  })
  return {
    access_token: tokens.issue({ userId: user.id, sessionId, role: user.role }),
    token_type: 'bearer',
    expires_in: tokens.lifeSeconds,
    refresh_token: refresh.token,
  }
}

/** What was typed as the name is not kept: it is a password often enough. */
async function noteFailure(
  context: AuthContext,
  user: UserRecord | undefined,
  visitor: Visitor,
): Promise<void> {
  const { store, log, clock } = context
  log.security('login.failed', { user: user?.id, address: visitor.address })
  const subject = user ? `users/${user.id}` : 'users'
  await store.write({
    kind: 'append_event',
    event: { type: 'login.failed', subject, timeMs: clock.nowMs(), data: visitor },
  })
}

async function throttled(
  context: AuthContext,
  decision: RateDecision & { isNews: boolean },
  visitor: Visitor,
) {
  const { store, log, clock } = context
  if (decision.isNews) {
    log.security('login.throttled', { address: visitor.address })
    await store.write({
      kind: 'append_event',
      event: { type: 'login.throttled', subject: 'users', timeMs: clock.nowMs(), data: visitor },
    })
  }
  return problem('rate_limit_exceeded', {
    detail: `Too many wrong passwords. Try again in ${decision.retryAfterSeconds} s.`,
    retryAfterSeconds: decision.retryAfterSeconds,
  })
}

/** The password is known only now, so this is the moment to store it at today's cost. */
async function rehash(
  { store, passwords, clock }: AuthContext,
  user: UserRecord,
  password: string,
): Promise<void> {
  const passwordHash = await passwords.hash(password)
  await store.write({
    kind: 'set_password',
    userId: user.id,
    passwordHash,
    actor: `user:${user.id}`,
    timeMs: clock.nowMs(),
  })
}
