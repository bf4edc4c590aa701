import type { Job, JobSubmit } from '@kyros/contract/job'
import type { Principal } from '@kyros/engine/engine'
import type { ApiContext } from '../context.ts'
import { type Asked, keptAnswer } from '../http/kept-answer.ts'
import { newSubmission } from '../runs/new-submission.ts'
import { newJob } from './new-job.ts'

/**
 * Submits a job and its first run. Durable when this resolves; the answer is built from what was written and
 * nothing is read again. A repeat with the same key gives the first answer.
 * @throws job_empty, request_invalid, project_not_found, workflow_unknown, workflow_input_invalid
 */
export async function submitJob(
  context: ApiContext,
  body: JobSubmit,
  caller: Principal,
  { idempotency: key, traceparent }: Asked = {},
): Promise<Job> {
  const submission = await newSubmission(context, body, caller)
  const job = newJob(submission)
  const { timeMs } = submission
  const kept = keptAnswer(key, { status: 201, response: job, createdMs: timeMs })
  const submitted = await context.engine.submit({ ...submission, traceparent, ...kept })
  // Only this operation writes answers under its key.
  return 'replayed' in submitted ? (submitted.replayed.response as unknown as Job) : job
}
