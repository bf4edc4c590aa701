import type { Tokens } from '@kyros/contract/auth'
import { ProblemError, problem } from '@kyros/contract/problem'
import type { AuthContext } from './context.ts'
import { hashSecret, newRefreshToken, sessionEndOf } from './refresh-token.ts'

/**
 * Trades a refresh token for new tokens; each works once. One that was used before and comes back after the grace
 * ends the whole session: somebody holds a copy.
 * @throws refresh_token_invalid
 */
export async function refreshSession(context: AuthContext, token: string | undefined): Promise<Tokens> {
  const { store, clock, tokens, newId, sessionIdleMs, refreshGraceMs } = context
  const sessionEndMs = token === undefined ? undefined : sessionEndOf(token)
  if (token === undefined || sessionEndMs === undefined) throw invalid()
  const nowMs = clock.nowMs()
  const next = newRefreshToken(nowMs, sessionIdleMs, sessionEndMs)
  const { sessionId, userId } = await store
    .write({
      kind: 'rotate_session',
      tokenHash: hashSecret(token),
      next: { id: newId(), hash: next.hash, expiresMs: next.expiresMs },
      timeMs: nowMs,
      graceMs: refreshGraceMs,
    })
    .catch((error: unknown) => {
      // It may just have revoked the session, and then its access tokens must stop working here too.
      if (error instanceof ProblemError && error.code === 'refresh_token_invalid') context.verifier.revoked()
      throw error
    })
  const user = await store.users.get(userId)
  if (!user?.active) throw invalid()
  return {
    access_token: tokens.issue({ userId, sessionId, role: user.role }),
    token_type: 'bearer',
    expires_in: tokens.lifeSeconds,
    refresh_token: next.token,
  }
}

function invalid(): ProblemError {
  return problem('refresh_token_invalid', { detail: 'Sign in again.' })
}
