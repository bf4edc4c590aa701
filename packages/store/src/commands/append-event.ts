import type { Answer, Batch } from '../batch.ts'
import type { CommandOf, Replayed } from '../command.ts'
import type { Steps } from '../statement.ts'
import { replayAnswer } from './replay-answer.ts'

export function* appendEvent(
  { event, idempotency }: CommandOf<'append_event'>,
  batch: Batch,
): Steps<Answer<{ seq: number } | Replayed>> {
  const replayed = yield* replayAnswer(batch, idempotency)
  if (replayed) return replayed
  const place = batch.emit(event)
  if (idempotency) batch.keepNumberedAnswer(idempotency, { place, timeMs: event.timeMs })
  return (base) => ({ seq: base + place })
}
