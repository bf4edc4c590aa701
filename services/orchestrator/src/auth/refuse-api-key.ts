import { problem } from '@kyros/contract/problem'
import type { Caller } from '@kyros/kernel/verifier'

/**
 * Keys are kept by people: a key that could make keys would outlive its own revocation.
 * @throws permission_denied
 */
export function refuseApiKey(caller: Caller): void {
  if (caller.via !== 'api_key') return
  throw problem('permission_denied', {
    detail:
      'An API key can neither make, list nor revoke keys. Sign in with your password, or use `kyros` on the machine of the server.',
  })
}
