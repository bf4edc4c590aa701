import type { Batch } from '../batch.ts'
import type { CommandOf } from '../command.ts'
import { int, type Steps } from '../statement.ts'

export function* putInbox(
  { message, timeMs, engine = 'embedded' }: CommandOf<'put_inbox'>,
  batch: Batch,
): Steps<{ id: number }> {
  // Under the lock ids become visible in their order: a reader that has seen one will never miss a smaller one.
  yield batch.lock
  const [row] = yield {
    sql: 'INSERT INTO inbox (message, created_ms, engine) VALUES (?, ?, ?) RETURNING id',
    params: [JSON.stringify(message), timeMs, engine],
  }
  if (!row) throw new Error('The inbox gave no number')
  return { id: int(row, 'id') }
}

export function* takeInbox({ ids }: CommandOf<'take_inbox'>): Steps<Record<string, never>> {
  for (const { first, last } of rangesOf(ids)) {
    yield { sql: 'DELETE FROM inbox WHERE id BETWEEN ? AND ?', params: [first, last], blind: true }
  }
  return {}
}

/** Mostly all that was read is taken, which is one range. */
function rangesOf(ids: readonly number[]): { first: number; last: number }[] {
  const ranges: { first: number; last: number }[] = []
  for (const id of ids.toSorted((a, b) => a - b)) {
    const range = ranges.at(-1)
    if (range !== undefined && id <= range.last + 1) range.last = id
    else ranges.push({ first: id, last: id })
  }
  return ranges
}
