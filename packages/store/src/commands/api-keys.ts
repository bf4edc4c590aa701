import type { Batch } from '../batch.ts'
import type { CommandOf } from '../command.ts'
import { type Steps, text } from '../statement.ts'
import { bumpRevocations } from './revoke-session.ts'

export function* createApiKey(
  { apiKey, actor }: CommandOf<'create_api_key'>,
  batch: Batch,
): Steps<Record<string, never>> {
  const { id, userId, name, prefix, hash, role, createdMs, expiresMs } = apiKey
  yield {
    sql: `INSERT INTO api_keys (id, user_id, name, prefix, hash, role, created_ms, expires_ms)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    params: [id, userId, name, prefix, hash, role, createdMs, expiresMs],
  }
  const data = { api_key_id: id, name, role }
  batch.emit({ type: 'api_key.created', subject: `users/${userId}`, actor, timeMs: createdMs, data })
  return {}
}

export function* revokeApiKey(
  { id, userId, actor, timeMs }: CommandOf<'revoke_api_key'>,
  batch: Batch,
): Steps<{ revoked: boolean }> {
  const [key] = yield {
    sql: `UPDATE api_keys SET revoked_ms = ? WHERE id = ? AND revoked_ms IS NULL
      AND (CAST(? AS TEXT) IS NULL OR user_id = ?) RETURNING user_id`,
    params: [timeMs, id, userId ?? null, userId ?? null],
  }
  if (!key) return { revoked: false }
  yield* bumpRevocations()
  const subject = `users/${text(key, 'user_id')}`
  batch.emit({ type: 'api_key.revoked', subject, actor, timeMs, data: { api_key_id: id } })
  return { revoked: true }
}

/** Use is not a fact worth an event; the caller decides how often to say it. */
export function* touchApiKey({ id, timeMs }: CommandOf<'touch_api_key'>): Steps<Record<string, never>> {
  yield { sql: 'UPDATE api_keys SET last_used_ms = ? WHERE id = ?', params: [timeMs, id] }
  return {}
}
