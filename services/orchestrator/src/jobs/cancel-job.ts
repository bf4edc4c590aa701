import type { Job } from '@kyros/contract/job'
import type { Caller } from '@kyros/kernel/verifier'
import type { ApiContext } from '../context.ts'
import { askToStop } from '../runs/ask-to-stop.ts'
import { mustOwn } from '../runs/must-own.ts'
import { getJob } from './get-job.ts'

/**
 * Asks the job's latest run to stop; durable when this resolves. A run that is busy ends later: the answer then
 * still shows it as it is. @throws job_not_found, permission_denied, run_ended
 */
export async function cancelJob(
  context: ApiContext,
  id: string,
  reason: string | undefined,
  caller: Caller,
): Promise<Job> {
  const job = await getJob(context.store, id)
  await mustOwn(context.store, job, caller)
  await askToStop(context, job.run_id, reason, caller)
  return getJob(context.store, id)
}
