import type { Batch } from '../batch.ts'
import type { CommandOf, NewRefreshToken } from '../command.ts'
import type { Steps } from '../statement.ts'
import { pruneSessions } from './prune-sessions.ts'

export function* createSession(
  { session, token, timeMs }: CommandOf<'create_session'>,
  batch: Batch,
): Steps<Record<string, never>> {
  const { id, userId, client, address, createdMs, expiresMs } = session
  yield {
    sql: `INSERT INTO sessions (id, user_id, client, address, created_ms, last_used_ms, expires_ms)
      VALUES (?, ?, ?, ?, ?, ?, ?)`,
    params: [id, userId, client, address, createdMs, timeMs, expiresMs],
  }
  yield* insertToken(id, token)
  const data = { session_id: id, client, address }
  batch.emit({ type: 'session.created', subject: `users/${userId}`, actor: userId, timeMs, data })
  yield* pruneSessions(batch, timeMs)
  return {}
}

export function* insertToken(sessionId: string, { id, hash, expiresMs }: NewRefreshToken): Steps<void> {
  yield {
    sql: 'INSERT INTO refresh_tokens (hash, id, session_id, expires_ms) VALUES (?, ?, ?, ?)',
    params: [hash, id, sessionId, expiresMs],
  }
}
