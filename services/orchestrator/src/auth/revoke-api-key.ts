import { problem } from '@kyros/contract/problem'
import type { Caller } from '@kyros/kernel/verifier'
import type { AuthContext } from './context.ts'

/**
 * Revokes a key: one's own, or anybody's for an admin. It stops working at once.
 * @throws api_key_not_found
 */
export async function revokeApiKey(
  context: AuthContext,
  id: string,
  caller: Caller,
): Promise<{ message: string }> {
  const { store, clock, verifier } = context
  const { revoked } = await store.write({
    kind: 'revoke_api_key',
    id,
    ...(caller.role !== 'admin' && { userId: caller.userId }),
    actor: caller.id,
    timeMs: clock.nowMs(),
  })
  verifier.revoked()
  if (!revoked) throw problem('api_key_not_found', { detail: 'It is revoked already, or it is not yours.' })
  return { message: 'The API key is revoked.' }
}
