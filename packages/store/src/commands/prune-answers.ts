import type { Steps } from '../statement.ts'

export const answersKeptMs = 24 * 60 * 60 * 1000

/** Drops at most `limit` answers that are too old: what adds answers removes more than it adds, and no timer is needed. */
export function* pruneAnswers(nowMs: number, limit: number): Steps<void> {
  yield {
    sql: `DELETE FROM idempotency WHERE created_ms <= ? AND ref IN
      (SELECT ref FROM idempotency ORDER BY ref LIMIT ?)`,
    params: [nowMs - answersKeptMs, limit],
    blind: true,
  }
}
