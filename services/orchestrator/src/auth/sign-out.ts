import type { Caller } from '@kyros/kernel/verifier'
import type { AuthContext } from './context.ts'

/** Ends the session of a caller; its tokens stop working at once. An API key has no session to end. */
export async function signOut(
  context: AuthContext,
  caller: Caller,
): Promise<{ message: string; token_revoked: boolean }> {
  const { store, clock, verifier } = context
  if (caller.sessionId === undefined) return { message: 'There is no session to end.', token_revoked: false }
  const { revoked } = await store.write({
    kind: 'revoke_session',
    sessionId: caller.sessionId,
    actor: caller.id,
    timeMs: clock.nowMs(),
  })
  verifier.revoked()
  return { message: 'Signed out.', token_revoked: revoked }
}
