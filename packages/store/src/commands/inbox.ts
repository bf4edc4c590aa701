import type { Batch } from '../batch.ts'
import type { CommandOf } from '../command.ts'
import { int, type Steps } from '../statement.ts'

export function* putInbox({ message, timeMs }: CommandOf<'put_inbox'>, batch: Batch): Steps<{ id: number }> {
  // Under the lock ids become visible in their order: a reader that has seen one will never miss a smaller one.
  yield batch.lock
  const [row] = yield {
    sql: 'INSERT INTO inbox (message, created_ms) VALUES (?, ?) RETURNING id',
    params: [JSON.stringify(message), timeMs],
  }
  if (!row) throw new Error('The inbox gave no number')
  return { id: int(row, 'id') }
}

export function* takeInbox({ upToId }: CommandOf<'take_inbox'>): Steps<Record<string, never>> {
  yield { sql: 'DELETE FROM inbox WHERE id <= ?', params: [upToId] }
  return {}
}
