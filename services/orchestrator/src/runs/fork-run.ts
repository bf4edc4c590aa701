import type { RunStarted } from '@kyros/contract/job'
import type { RunFork } from '@kyros/contract/run-operation'
import type { Caller } from '@kyros/kernel/verifier'
import type { ApiContext } from '../context.ts'
import { type Asked, keptAnswer } from '../http/kept-answer.ts'
import { getRunRecord } from './get-run.ts'
import { mustOwnRun } from './must-own.ts'
import { newRunStarted } from './start-run.ts'

/**
 * Starts a run that takes over the results before a step. As a new run of the same job only its owner may do it; a job
 * of its own anybody who may submit one. Durable when this resolves.
 * @throws run_not_found, permission_denied, run_step_not_found, run_not_ended, run_diverged
 */
export async function forkRun(
  context: ApiContext,
  id: string,
  { from_step, new_job = false }: RunFork,
  caller: Caller,
  { idempotency: key, traceparent }: Asked = {},
): Promise<RunStarted> {
  const { job_id } = await getRunRecord(context.store, id)
  if (!new_job) await mustOwnRun(context.store, job_id, caller)
  const runId = context.newId()
  const jobId = new_job ? context.newId() : job_id
  const timeMs = context.clock.nowMs()
  const started = newRunStarted(runId, jobId)
  const submitted = await context.engine.fork(id, {
    fromStep: from_step,
    ...(new_job && { jobId }),
    runId,
    principal: { id: caller.id, role: caller.role },
    timeMs,
    traceparent,
    ...keptAnswer(key, { status: 201, response: started, createdMs: timeMs }),
  })
  // Only this operation writes answers under its key.
  return 'replayed' in submitted ? (submitted.replayed.response as RunStarted) : started
}
