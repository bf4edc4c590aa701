import type { RunStart, RunStarted } from '@kyros/contract/job'
import { ProblemError, problem } from '@kyros/contract/problem'
import type { Engine, Principal } from '@kyros/engine/engine'
import type { ApiContext } from '../context.ts'
import { type Asked, keptAnswer } from '../http/kept-answer.ts'
import { fieldProblem } from '../http/plain-text.ts'
import { newSubmission } from './new-submission.ts'

/**
 * Starts a run of a workflow, with a job of its own. Durable when this resolves.
 * @throws request_invalid, project_not_found, workflow_unknown, workflow_input_invalid
 */
export async function startRun(
  context: ApiContext,
  body: RunStart,
  caller: Principal,
  { idempotency: key, traceparent }: Asked = {},
): Promise<RunStarted> {
  const { name, type, description, max_retries, timeout_seconds, ...rest } = body
  const job = { ...rest, title: name, workflow: type, ...(description && { task: description }) }
  const limits = {
    ...(max_retries !== undefined && { maxRetries: max_retries }),
    ...(timeout_seconds !== undefined && { timeoutSeconds: timeout_seconds }),
  }
  const submission = await withSentPaths(newSubmission(context, job, caller, limits))
  const { jobId, runId, timeMs } = submission
  const started = newRunStarted(runId, jobId, context.engine.kind)
  const kept = keptAnswer(key, { status: 201, response: started, createdMs: timeMs })
  const submitted = await withSentPaths(context.engine.submit({ ...submission, traceparent, ...kept }))
  // Only this operation writes answers under its key.
  return 'replayed' in submitted ? (submitted.replayed.response as RunStarted) : started
}

/** What a job calls these fields is called otherwise here: a fault points at the field that was sent. */
const sentPaths = new Map([
  ['/workflow', '/type'],
  ['/title', '/name'],
  ['/task', '/description'],
])

async function withSentPaths<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error
    const [fault] = error.errors ?? []
    const path = sentPaths.get(fault?.path ?? '')
    if (fault === undefined || path === undefined) throw error
    if (error.code === 'request_invalid') throw fieldProblem(path, fault.message)
    throw problem(error.code, { detail: error.message, errors: [{ path, message: fault.message }] })
  }
}

/** The answer about a run that has just been committed. */
export function newRunStarted(runId: string, jobId: string, engine?: Engine['kind']): RunStarted {
  const cluster = engine === 'temporal' ? { temporal_id: runId } : {}
  return { workflow_id: runId, run_id: runId, job_id: jobId, status: 'pending', ...cluster }
}
