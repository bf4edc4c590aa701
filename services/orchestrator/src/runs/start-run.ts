import type { RunStart, RunStarted } from '@kyros/contract/job'
import type { Principal } from '@kyros/engine/engine'
import type { IdempotencyKey } from '@kyros/kernel/idempotency'
import type { ApiContext } from '../context.ts'
import { keptAnswer } from '../http/kept-answer.ts'
import { newSubmission } from './new-submission.ts'

/**
 * Starts a run of a workflow, with a job of its own. Durable when this resolves.
 * @throws request_invalid, project_not_found, workflow_unknown, workflow_input_invalid
 */
export async function startRun(
  context: ApiContext,
  body: RunStart,
  caller: Principal,
  key?: IdempotencyKey,
): Promise<RunStarted> {
  const { name, type, description, max_retries, timeout_seconds, ...rest } = body
  const job = { ...rest, title: name, workflow: type, ...(description && { task: description }) }
  const submission = await newSubmission(context, job, caller, {
    ...(max_retries !== undefined && { maxRetries: max_retries }),
    ...(timeout_seconds !== undefined && { timeoutSeconds: timeout_seconds }),
  })
  const { jobId, runId, timeMs } = submission
  const started = newRunStarted(runId, jobId)
  const kept = keptAnswer(key, { status: 201, response: started, createdMs: timeMs })
  const submitted = await context.engine.submit({ ...submission, ...kept })
  // Only this operation writes answers under its key.
  return 'replayed' in submitted ? (submitted.replayed.response as RunStarted) : started
}

/** The answer about a run that has just been committed. */
export function newRunStarted(runId: string, jobId: string): RunStarted {
  return { workflow_id: runId, run_id: runId, job_id: jobId, status: 'pending' }
}
