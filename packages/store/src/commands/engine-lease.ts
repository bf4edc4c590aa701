import type { Batch } from '../batch.ts'
import type { CommandOf, ResultOf } from '../command.ts'
import { databaseNowMs, int, type Steps, text } from '../statement.ts'

export function* acquireEngineLease(
  { holder, timeMs, ttlMs }: CommandOf<'acquire_engine_lease'>,
  batch: Batch,
): Steps<ResultOf<'acquire_engine_lease'>> {
  const [lease] = yield {
    sql: 'SELECT holder, epoch, until_ms FROM engine_lease WHERE id = 1',
    params: [],
    lock: true,
  }
  if (!lease) throw new Error('The row of the engine lease is missing')
  const current = {
    holder: text(lease, 'holder'),
    epoch: int(lease, 'epoch'),
    untilMs: int(lease, 'until_ms'),
  }
  const isMine = current.holder === holder
  const nowMs = yield* readClock(batch, timeMs)
  const leftMs = current.untilMs - nowMs
  if (!isMine && leftMs > 0) return { held: false, holder: current.holder, leftMs }
  const epoch = isMine ? current.epoch : current.epoch + 1
  yield {
    sql: 'UPDATE engine_lease SET holder = ?, epoch = ?, until_ms = ? WHERE id = 1',
    params: [holder, epoch, nowMs + ttlMs],
  }
  batch.ledger.leaseEpoch = epoch
  return { held: true, epoch }
}

/** On PostgreSQL the database's own: the clocks of several machines differ, and a lease must mean the same to all. */
function* readClock(batch: Batch, ofCallerMs: number): Steps<number> {
  if (batch.dialect === 'sqlite') return ofCallerMs
  const [row] = yield { sql: `SELECT ${databaseNowMs} AS now_ms`, params: [] }
  return row ? int(row, 'now_ms') : ofCallerMs
}

/** The epoch stays, so the next holder gets a higher one. */
export function* releaseEngineLease({
  holder,
}: CommandOf<'release_engine_lease'>): Steps<Record<string, never>> {
  yield {
    sql: `UPDATE engine_lease SET holder = '', until_ms = 0 WHERE id = 1 AND holder = ?`,
    params: [holder],
  }
  return {}
}
