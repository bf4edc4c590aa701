import type { Answer, Batch } from '../batch.ts'
import type { CommandOf, Replayed } from '../command.ts'
import { keptText, replayAnswer } from './replay-answer.ts'

export function appendEvent(
  { event, idempotency }: CommandOf<'append_event'>,
  batch: Batch,
): Answer<{ seq: number } | Replayed> {
  const replayed = replayAnswer(batch, idempotency)
  if (replayed) return replayed
  const seq = batch.emit(event)
  if (idempotency) batch.keepNumberedAnswer(keptText(idempotency), { seq, timeMs: event.timeMs })
  return (shift) => ({ seq: seq + shift })
}
