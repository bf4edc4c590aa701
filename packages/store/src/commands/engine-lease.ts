import type { Batch } from '../batch.ts'
import type { CommandOf, ResultOf } from '../command.ts'
import { int, type Steps, text } from '../statement.ts'

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
  if (!isMine && current.untilMs > timeMs) {
    return { held: false, holder: current.holder, untilMs: current.untilMs }
  }
  const epoch = isMine ? current.epoch : current.epoch + 1
  yield {
    sql: 'UPDATE engine_lease SET holder = ?, epoch = ?, until_ms = ? WHERE id = 1',
    params: [holder, epoch, timeMs + ttlMs],
  }
  batch.leaseEpoch = epoch
  return { held: true, epoch }
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
