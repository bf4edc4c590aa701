import type { Batch } from '../batch.ts'
import type { CommandOf } from '../command.ts'
import { Rejected } from '../outcome.ts'
import { refuse } from '../refusal.ts'
import { int, intOrNull, type Row, type Steps, text } from '../statement.ts'
import { insertToken } from './create-session.ts'
import { pruneSessions } from './prune-sessions.ts'
import { bumpRevocations } from './revoke-session.ts'

export function* rotateSession(
  { tokenHash, next, timeMs, graceMs }: CommandOf<'rotate_session'>,
  batch: Batch,
): Steps<{ sessionId: string; userId: string } | Rejected> {
  const row = yield* findToken(tokenHash, timeMs)
  if (!row) throw invalid()
  const sessionId = text(row, 'session_id')
  const userId = text(row, 'user_id')
  const usedMs = intOrNull(row, 'used_ms')
  if (usedMs !== null && timeMs - usedMs > graceMs) {
    yield* revokeReused(batch, sessionId, userId, timeMs)
    return new Rejected(invalid())
  }
  if (usedMs === null) {
    yield { sql: 'UPDATE refresh_tokens SET used_ms = ? WHERE hash = ?', params: [timeMs, tokenHash] }
  }
  yield* insertToken(sessionId, next)
  const expiresMs = Math.max(int(row, 'session_expires_ms'), next.expiresMs)
  yield {
    sql: 'UPDATE sessions SET last_used_ms = ?, expires_ms = ? WHERE id = ?',
    params: [timeMs, expiresMs, sessionId],
  }
  yield* pruneSessions(batch, timeMs)
  const data = { session_id: sessionId }
  batch.emit({ type: 'session.refreshed', subject: `users/${userId}`, actor: userId, timeMs, data })
  return { sessionId, userId }
}

/** The token with its session, if both and their user may still be used. */
function* findToken(tokenHash: string, timeMs: number): Steps<Row | undefined> {
  const [row] = yield {
    sql: `SELECT t.session_id, t.used_ms, s.user_id, s.expires_ms AS session_expires_ms
      FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id
      WHERE t.hash = ? AND t.expires_ms > ? AND s.expires_ms > ? AND s.revoked_ms IS NULL AND u.active = 1`,
    params: [tokenHash, timeMs, timeMs],
    lock: true,
  }
  return row
}

/** Somebody holds a copy of the token: nobody may go on with it. */
function* revokeReused(batch: Batch, sessionId: string, userId: string, timeMs: number): Steps<void> {
  yield { sql: 'UPDATE sessions SET revoked_ms = ? WHERE id = ?', params: [timeMs, sessionId] }
  yield* bumpRevocations()
  const event = { subject: `users/${userId}`, actor: userId, timeMs, data: { session_id: sessionId } }
  batch.emit({ type: 'session.reused', ...event })
  batch.emit({ type: 'session.revoked', ...event })
}

function invalid() {
  return refuse('refresh_token_invalid', 'Sign in again.')
}
