import type { Batch, KeptAnswer } from '../batch.ts'
import type { Idempotency, Replayed } from '../command.ts'
import { refuse } from '../refusal.ts'
import { int, type Row, text } from '../statement.ts'
import type { KeptText } from '../wire.ts'
import { answersKeptMs } from './prune-answers.ts'

export const selectAnswer = `SELECT ref, fingerprint, status, response, created_ms FROM idempotency
  WHERE key = ? AND principal = ? AND route = ?`

export const deleteAnswer = 'DELETE FROM idempotency WHERE ref = ?'

/** The first answer of the same request. @throws idempotency_key_reused for another request under the same key */
export function replayAnswer(
  batch: Batch,
  asked: Idempotency | KeptText | undefined,
): (() => Replayed) | undefined {
  if (!asked) return undefined
  const first = batch.answer(asked)
  if (!first) return undefined
  if (first.fingerprint !== asked.fingerprint) {
    const detail = 'Send the same body as with the first request, or another Idempotency-Key.'
    throw refuse('idempotency_key_reused', detail)
  }
  // Asked at the end of the segment: an answer of the same batch may get its numbers only there.
  return () => ({ replayed: { status: first.status, response: JSON.parse(first.response) } })
}

export function isTooOld(row: Row, asked: { createdMs: number }): boolean {
  return int(row, 'created_ms') <= asked.createdMs - answersKeptMs
}

export function answerFromRow(row: Row): KeptAnswer {
  return {
    fingerprint: text(row, 'fingerprint'),
    status: int(row, 'status'),
    response: text(row, 'response'),
  }
}

export function keptText(idempotency: Idempotency): KeptText {
  return { ...idempotency, response: JSON.stringify(idempotency.response) }
}
