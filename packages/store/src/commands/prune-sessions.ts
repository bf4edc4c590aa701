import type { Batch } from '../batch.ts'
import { type Row, type SqlValue, type Steps, text } from '../statement.ts'

/** More than one write adds, so that what has ended gets less with every sign-in and needs no timer. */
const maxAtOnce = 10

/** Drops some of the sessions that have ended, with their tokens, and some of the tokens that nobody can use any more. */
export function* pruneSessions(batch: Batch, nowMs: number): Steps<void> {
  // Another process may be pruning the same ones: let it.
  const free = batch.dialect === 'postgres' ? ' FOR UPDATE SKIP LOCKED' : ''
  const find = (sql: string, params: SqlValue[]) => ({ sql: `${sql} LIMIT ${maxAtOnce}${free}`, params })
  const expired = yield find('SELECT id FROM sessions WHERE expires_ms <= ? ORDER BY expires_ms', [nowMs])
  yield* dropSessions(expired)
  const revoked = yield find(
    'SELECT id FROM sessions WHERE revoked_ms IS NOT NULL AND revoked_ms <= ? ORDER BY revoked_ms',
    [nowMs],
  )
  yield* dropSessions(revoked)
  const tokens = yield find('SELECT hash FROM refresh_tokens WHERE expires_ms <= ? ORDER BY expires_ms', [
    nowMs,
  ])
  for (const row of tokens) {
    yield { sql: 'DELETE FROM refresh_tokens WHERE hash = ?', params: [text(row, 'hash')] }
  }
}

function* dropSessions(rows: readonly Row[]): Steps<void> {
  for (const row of rows) {
    const id = text(row, 'id')
    yield { sql: 'DELETE FROM refresh_tokens WHERE session_id = ?', params: [id] }
    yield { sql: 'DELETE FROM sessions WHERE id = ?', params: [id] }
  }
}
