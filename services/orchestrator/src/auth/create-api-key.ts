import { type ApiKeyCreate, type ApiKeyCreated, atLeast } from '@kyros/contract/auth'
import { problem } from '@kyros/contract/problem'
import type { Caller } from '@kyros/kernel/verifier'
import { newApiKey } from './api-key.ts'
import type { AuthContext } from './context.ts'

/**
 * Makes a key that acts for its maker, with at most the maker's role. Only this answer holds the key itself.
 * @throws permission_denied, request_invalid
 */
export async function createApiKey(
  { store, newId, clock }: AuthContext,
  { name, role: asked, expires_at }: ApiKeyCreate,
  caller: Caller,
): Promise<ApiKeyCreated> {
  const role = asked ?? caller.role
  if (!atLeast(caller.role, role)) {
    throw problem('permission_denied', { detail: `Your role is ${caller.role}: a key cannot be given more.` })
  }
  const createdMs = clock.nowMs()
  const expiresMs = expires_at === undefined ? null : Date.parse(expires_at)
  if (expiresMs !== null && !(expiresMs > createdMs)) {
    const errors = [{ path: '/expires_at', message: 'must be in the future' }]
    throw problem('request_invalid', { detail: 'Correct expires_at: it must be in the future.', errors })
  }
  const { key, prefix, hash } = newApiKey()
  const apiKey = { id: newId(), userId: caller.userId, name, prefix, hash, role, createdMs, expiresMs }
  await store.write({ kind: 'create_api_key', apiKey, actor: caller.id })
  return {
    api_key: {
      id: apiKey.id,
      name,
      prefix,
      role,
      user_id: caller.userId,
      created_at: new Date(createdMs).toISOString(),
      expires_at: expiresMs === null ? null : new Date(expiresMs).toISOString(),
      last_used_at: null,
    },
    key,
  }
}
