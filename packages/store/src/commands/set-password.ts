import type { Batch } from '../batch.ts'
import type { CommandOf } from '../command.ts'
import type { Steps } from '../statement.ts'

/** Leaves sessions alone: a password is also set when its hash is renewed at login. */
export function* setPassword(
  { userId, passwordHash, actor, timeMs }: CommandOf<'set_password'>,
  batch: Batch,
): Steps<Record<string, never>> {
  const [changed] = yield {
    sql: 'UPDATE users SET password_hash = ? WHERE id = ? RETURNING id',
    params: [passwordHash, userId],
  }
  if (!changed) throw new Error(`There is no user ${userId}`)
  const data = { changed: ['password'] }
  batch.emit({ type: 'user.updated', subject: `users/${userId}`, actor, timeMs, data })
  return {}
}
