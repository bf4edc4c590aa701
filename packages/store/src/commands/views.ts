import type { Batch } from '../batch.ts'
import type { CommandOf } from '../command.ts'
import { refuse } from '../refusal.ts'
import { int, type Steps, text } from '../statement.ts'

export function* createView(
  { view, maxViews }: CommandOf<'create_view'>,
  batch: Batch,
): Steps<{ id: string; createdMs: number }> {
  const { id, userId, list, name, query, createdMs } = view
  // Two requests at once must not both find room for one more.
  yield batch.lock
  const [counted] = yield { sql: 'SELECT COUNT(*) AS views FROM views WHERE user_id = ?', params: [userId] }
  const [existing] = yield {
    sql: 'SELECT id FROM views WHERE user_id = ? AND list = ? AND name = ?',
    params: [userId, list, name],
  }
  if (!existing && counted && int(counted, 'views') >= maxViews) {
    throw refuse('view_limit_reached', `You have ${maxViews} views already; delete one of them first.`)
  }
  const [kept] = yield {
    sql: `INSERT INTO views (id, user_id, list, name, query, created_ms) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT (user_id, list, name) DO UPDATE SET query = excluded.query RETURNING id, created_ms`,
    params: [id, userId, list, name, query, createdMs],
  }
  return kept ? { id: text(kept, 'id'), createdMs: int(kept, 'created_ms') } : { id, createdMs }
}

export function* deleteView({ id, userId }: CommandOf<'delete_view'>): Steps<{ deleted: boolean }> {
  const [gone] = yield {
    sql: 'DELETE FROM views WHERE id = ? AND user_id = ? RETURNING id',
    params: [id, userId],
  }
  return { deleted: gone !== undefined }
}
