import type { Job } from '@kyros/contract/job'
import { isProblem, problem } from '@kyros/contract/problem'
import { canDelete, isTerminal } from '@kyros/contract/run-status'
import type { Caller } from '@kyros/kernel/verifier'
import type { ApiContext } from '../context.ts'
import { awaitRunEnd } from '../runs/await-run-end.ts'
import { mustOwn } from '../runs/must-own.ts'
import { getJob } from './get-job.ts'

/** How long a forced deletion waits for the run to clean up. */
const endMs = 10_000

/**
 * Deletes a job with its runs, logs and artifacts. A run that waits is cancelled first, so that the engine lets go
 * of it; one that is running only with `force`. @throws job_not_found, permission_denied, job_running
 */
export async function deleteJob(
  context: ApiContext,
  id: string,
  force: boolean,
  caller: Caller,
): Promise<{ message: string }> {
  const job = await getJob(context.store, id)
  await mustOwn(context.store, job, caller)
  if (!isTerminal(job.status)) {
    if (!force && !canDelete(job)) throw stillRunning(`Cancel it first, or delete it with ?force=true.`)
    await endRun(context, job, caller)
  }
  const timeMs = context.clock.nowMs()
  await context.store.write({ kind: 'delete_job', jobId: id, actor: caller.id, timeMs })
  return { message: 'Job deleted successfully' }
}

async function endRun(context: ApiContext, job: Job, caller: Caller): Promise<void> {
  try {
    await context.engine.cancel(job.run_id, 'The job is deleted', caller)
  } catch (error) {
    // It ended between the look and the cancel: just what is wanted.
    if (!isProblem(error, 'run_ended')) throw error
  }
  if (await awaitRunEnd(context, job.run_id, endMs)) return
  throw stillRunning(`It was asked to stop and is still cleaning up after ${endMs / 1000} s. Try again soon.`)
}

function stillRunning(whatToDo: string) {
  return problem('job_running', { detail: `The job is running. ${whatToDo}` })
}
