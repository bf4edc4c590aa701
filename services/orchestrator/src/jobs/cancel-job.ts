import type { Job } from '@kyros/contract/job'
import type { Principal } from '@kyros/engine/engine'
import type { ApiContext } from '../context.ts'
import { awaitRunEnd } from '../runs/await-run-end.ts'
import { getJob } from './get-job.ts'

/** How long an answer waits for a run that has nothing to clean up, so that it can already say `cancelled`. */
const settleMs = 500

export const defaultCancelReason = 'User requested cancellation'

/**
 * Asks the job's latest run to stop; durable when this resolves. A run that is busy ends later: the answer then
 * still shows it as it is. @throws job_not_found, run_ended
 */
export async function cancelJob(
  context: ApiContext,
  id: string,
  reason: string | undefined,
  caller: Principal,
): Promise<Job> {
  const job = await getJob(context.store, id)
  await context.engine.cancel(job.run_id, reason ?? defaultCancelReason, caller)
  await awaitRunEnd(context, job.run_id, settleMs)
  return getJob(context.store, id)
}
