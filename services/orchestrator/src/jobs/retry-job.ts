import type { Job } from '@kyros/contract/job'
import type { Principal } from '@kyros/engine/engine'
import type { IdempotencyKey } from '@kyros/kernel/idempotency'
import type { ApiContext } from '../context.ts'
import { keptAnswer } from '../http/kept-answer.ts'
import { getJob } from './get-job.ts'
import { newRunOfJob } from './new-job.ts'

/** Starts a new run of the job with the same input. Durable when this resolves. @throws job_not_found, run_not_ended */
export async function retryJob(
  context: ApiContext,
  id: string,
  caller: Principal,
  key?: IdempotencyKey,
): Promise<Job> {
  const before = await getJob(context.store, id)
  const runId = context.newId()
  const timeMs = context.clock.nowMs()
  const job: Job = {
    ...before,
    ...newRunOfJob(runId, before.attempt + 1),
    updated_at: new Date(timeMs).toISOString(),
  }
  const kept = keptAnswer(key, { status: 201, response: job, createdMs: timeMs })
  const next = { runId, principal: { id: caller.id, role: caller.role }, timeMs, ...kept }
  const submitted = await context.engine.retry(id, next)
  // Only this operation writes answers under its key.
  return 'replayed' in submitted ? (submitted.replayed.response as unknown as Job) : job
}
