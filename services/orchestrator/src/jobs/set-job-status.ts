import type { Job } from '@kyros/contract/job'
import { problem } from '@kyros/contract/problem'
import { canSetStatus, type RunStatus } from '@kyros/contract/run-status'
import type { Caller } from '@kyros/kernel/verifier'
import type { ApiContext } from '../context.ts'
import { cancelJob } from './cancel-job.ts'
import { getJob } from './get-job.ts'

/** Moves a job to `status` where a person may do that: work can be stopped, nothing else. @throws job_transition_invalid */
export async function setJobStatus(
  context: ApiContext,
  id: string,
  status: RunStatus,
  caller: Caller,
): Promise<Job> {
  const job = await getJob(context.store, id)
  if (!canSetStatus(job.status, status)) {
    throw problem('job_transition_invalid', {
      detail: `A job that is ${job.status} cannot be set to ${status}. Only work that has not ended can be set, and only to cancelled; POST /api/v1/jobs/${id}/retry runs it again.`,
    })
  }
  return cancelJob(context, id, 'Set to cancelled', caller)
}
