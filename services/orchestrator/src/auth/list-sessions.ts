import type { Session } from '@kyros/contract/auth'
import type { Caller } from '@kyros/kernel/verifier'
import type { AuthContext } from './context.ts'

/** Where a caller is signed in; `current` marks the session that asks. */
export async function listSessions({ store, clock }: AuthContext, caller: Caller): Promise<Session[]> {
  const sessions = await store.sessions.ofUser(caller.userId, clock.nowMs())
  return sessions.map((session) => ({ ...session, current: session.id === caller.sessionId }))
}
