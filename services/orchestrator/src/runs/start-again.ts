import type { Job } from '@kyros/contract/job'
import type { Caller } from '@kyros/kernel/verifier'
import type { ApiContext } from '../context.ts'
import { type Asked, keptAnswer } from '../http/kept-answer.ts'
import { mustOwn } from './must-own.ts'

type Next = { runId: string; timeMs: number }

/**
 * Starts a new run of a job with the same input and gives what `answer` makes of it, or the first answer under the
 * same key. Durable when this resolves. @throws permission_denied, run_not_ended
 */
export async function startAgain<Answer extends object>(
  context: ApiContext,
  job: Pick<Job, 'id' | 'created_by'>,
  caller: Caller,
  { idempotency: key, traceparent }: Asked,
  answer: (next: Next) => Answer,
): Promise<Answer> {
  await mustOwn(context.store, job, caller)
  const runId = context.newId()
  const timeMs = context.clock.nowMs()
  const response = answer({ runId, timeMs })
  const kept = keptAnswer(key, { status: 201, response, createdMs: timeMs })
  const next = { runId, principal: { id: caller.id, role: caller.role }, timeMs, traceparent, ...kept }
  const submitted = await context.engine.retry(job.id, next)
  // Only the same operation writes answers under its key.
  return 'replayed' in submitted ? (submitted.replayed.response as unknown as Answer) : response
}
