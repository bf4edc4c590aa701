import { problem } from '@kyros/contract/problem'
import type { Caller } from '@kyros/kernel/verifier'
import type { AuthContext } from './context.ts'

/**
 * Signs a session out: one's own, or anybody's for an admin.
 * @throws session_not_found
 */
export async function revokeSession(
  context: AuthContext,
  id: string,
  caller: Caller,
): Promise<{ message: string }> {
  const { store, clock, verifier } = context
  const { revoked } = await store.write({
    kind: 'revoke_session',
    sessionId: id,
    ...(caller.role !== 'admin' && { userId: caller.userId }),
    actor: caller.id,
    timeMs: clock.nowMs(),
  })
  verifier.revoked()
  if (!revoked) throw problem('session_not_found', { detail: 'It has ended already, or it is not yours.' })
  return { message: 'The session has ended.' }
}
