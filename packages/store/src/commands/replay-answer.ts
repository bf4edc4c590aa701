import { answerKey, type Batch, type KeptAnswer } from '../batch.ts'
import type { Idempotency, Replayed } from '../command.ts'
import { refuse } from '../refusal.ts'
import { int, type Steps, text } from '../statement.ts'
import { answersKeptMs } from './prune-answers.ts'

/** The first answer of the same request. @throws idempotency_key_reused for another request under the same key */
export function* replayAnswer(
  batch: Batch,
  asked: Idempotency | undefined,
): Steps<(() => Replayed) | undefined> {
  if (!asked) return undefined
  const known = batch.answers.get(answerKey(asked))
  const first = known === undefined ? yield* readAnswer(asked) : known
  if (!first) return undefined
  if (first.fingerprint !== asked.fingerprint) {
    const detail = 'Send the same body as with the first request, or another Idempotency-Key.'
    throw refuse('idempotency_key_reused', detail)
  }
  // Asked at the end of the segment: an answer of the same batch may get its numbers only there.
  return () => ({ replayed: { status: first.status, response: first.response } })
}

function* readAnswer({ principal, route, key, createdMs }: Idempotency): Steps<KeptAnswer | undefined> {
  const [row] = yield {
    sql: `SELECT ref, fingerprint, status, response, created_ms FROM idempotency
      WHERE key = ? AND principal = ? AND route = ?`,
    params: [key, principal, route],
  }
  if (!row) return undefined
  if (int(row, 'created_ms') <= createdMs - answersKeptMs) {
    yield { sql: 'DELETE FROM idempotency WHERE ref = ?', params: [int(row, 'ref')] }
    return undefined
  }
  const response = JSON.parse(text(row, 'response'))
  return { fingerprint: text(row, 'fingerprint'), status: int(row, 'status'), response }
}
