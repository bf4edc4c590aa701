import type { Batch } from '../batch.ts'
import type { CommandOf, InboxMessage } from '../command.ts'
import { type Dialect, int, intOrNull, type SqlValue, type Steps, text } from '../statement.ts'
import { engineColumn } from '../wire.ts'

export function* putInbox({ message, timeMs }: CommandOf<'put_inbox'>, batch: Batch): Steps<{ id: number }> {
  // Under the lock ids become visible in their order: a reader that has seen one will never miss a smaller one.
  yield batch.lock
  const engine = yield* engineOf(message.runId, batch)
  const [row] = yield {
    sql: 'INSERT INTO inbox (message, created_ms, engine) VALUES (?, ?, ?) RETURNING id',
    params: [JSON.stringify(message), timeMs, engine],
  }
  if (!row) throw new Error('The inbox gave no number')
  return { id: int(row, 'id') }
}

/** Under the lock nobody moves the run to another engine. A run that is gone is nobody's. */
function* engineOf(runId: string, { runs }: Batch): Steps<SqlValue> {
  const entry = runs.get(runId)
  const known = entry?.state.engine ?? entry?.newRun?.[engineColumn]
  if (known !== undefined) return known
  const [row] = yield { sql: 'SELECT engine FROM runs WHERE id = ?', params: [runId] }
  return row ? text(row, 'engine') : 'embedded'
}

export function* takeInbox({
  ids,
  engine = 'embedded',
}: CommandOf<'take_inbox'>): Steps<Record<string, never>> {
  const sql = 'DELETE FROM inbox WHERE id BETWEEN ? AND ? AND engine = ?'
  for (const { first, last } of rangesOf(ids)) yield { sql, params: [first, last, engine], blind: true }
  return {}
}

const runIdIn: { readonly [D in Dialect]: string } = {
  sqlite: `json_extract(message, '$.runId')`,
  postgres: `message::json->>'runId'`,
}

/**
 * What waits for a run goes with it to another engine, under its numbers; gives the order to take it up there. The
 * caller holds the lock.
 */
export function* handOver(runId: string, engine: string, dialect: Dialect): Steps<InboxMessage> {
  const ofRun = `engine <> ? AND ${runIdIn[dialect]} = ?`
  const [row] = yield { sql: `SELECT MIN(id) AS id FROM inbox WHERE ${ofRun}`, params: [engine, runId] }
  const since = row ? intOrNull(row, 'id') : null
  if (since === null) return { type: 'accept', runId }
  yield { sql: `UPDATE inbox SET engine = ? WHERE ${ofRun}`, params: [engine, engine, runId] }
  return { type: 'accept', runId, since }
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
