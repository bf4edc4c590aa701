import type { Batch } from '../batch.ts'
import type { CommandOf } from '../command.ts'
import { refuse } from '../refusal.ts'
import type { Steps } from '../statement.ts'

export function* createUser(
  { user, actor, onlyIfNone }: CommandOf<'create_user'>,
  batch: Batch,
): Steps<{ created: boolean }> {
  // Two processes that start at once must not both find no admin.
  yield batch.lock
  if (onlyIfNone) {
    const [any] = yield { sql: 'SELECT id FROM users LIMIT 1', params: [] }
    if (any) return { created: false }
  }
  const email = user.email.toLowerCase()
  const [added] = yield {
    sql: `INSERT INTO users (id, email, password_hash, role, active, created_ms) VALUES (?, ?, ?, ?, 1, ?)
      ON CONFLICT (email) DO NOTHING RETURNING id`,
    params: [user.id, email, user.passwordHash, user.role, user.createdMs],
  }
  if (!added) throw refuse('user_exists', `There is a user ${email} already; choose another address.`)
  const data = { email, role: user.role }
  batch.emit({ type: 'user.created', subject: `users/${user.id}`, actor, timeMs: user.createdMs, data })
  return { created: true }
}
