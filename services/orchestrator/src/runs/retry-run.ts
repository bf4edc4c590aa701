import type { RunStarted } from '@kyros/contract/job'
import type { Principal } from '@kyros/engine/engine'
import type { IdempotencyKey } from '@kyros/kernel/idempotency'
import type { ApiContext } from '../context.ts'
import { keptAnswer } from '../http/kept-answer.ts'
import { getRunRecord } from './get-run.ts'
import { newRunStarted } from './start-run.ts'

/** A new run of the same job with the same input. Durable when this resolves. @throws run_not_found, run_not_ended */
export async function retryRun(
  context: ApiContext,
  id: string,
  caller: Principal,
  key?: IdempotencyKey,
): Promise<RunStarted> {
  const { job_id } = await getRunRecord(context.store, id)
  const runId = context.newId()
  const timeMs = context.clock.nowMs()
  const started = newRunStarted(runId, job_id)
  const kept = keptAnswer(key, { status: 201, response: started, createdMs: timeMs })
  const next = { runId, principal: { id: caller.id, role: caller.role }, timeMs, ...kept }
  const submitted = await context.engine.retry(job_id, next)
  // Only this operation writes answers under its key.
  return 'replayed' in submitted ? (submitted.replayed.response as RunStarted) : started
}
