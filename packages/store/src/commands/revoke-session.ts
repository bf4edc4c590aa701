import type { Batch } from '../batch.ts'
import type { CommandOf } from '../command.ts'
import { type Steps, text } from '../statement.ts'

export function* revokeSession(
  { sessionId, userId, actor, timeMs }: CommandOf<'revoke_session'>,
  batch: Batch,
): Steps<{ revoked: boolean }> {
  const [session] = yield {
    sql: `UPDATE sessions SET revoked_ms = ? WHERE id = ? AND revoked_ms IS NULL
      AND (CAST(? AS TEXT) IS NULL OR user_id = ?) RETURNING user_id`,
    params: [timeMs, sessionId, userId ?? null, userId ?? null],
  }
  if (!session) return { revoked: false }
  yield* bumpRevocations()
  const subject = `users/${text(session, 'user_id')}`
  batch.emit({ type: 'session.revoked', subject, actor, timeMs, data: { session_id: sessionId } })
  return { revoked: true }
}

/** Tells every cache of verified tokens that something is no longer valid. */
export function* bumpRevocations(): Steps<void> {
  yield {
    sql: `UPDATE settings SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT) WHERE key = 'revocation_epoch'`,
    params: [],
  }
}
