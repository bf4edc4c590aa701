import type { Job } from '@kyros/contract/job'
import type { Caller } from '@kyros/kernel/verifier'
import type { ApiContext } from '../context.ts'
import type { Asked } from '../http/kept-answer.ts'
import { startAgain } from '../runs/start-again.ts'
import { getJob } from './get-job.ts'
import { newRunOfJob } from './new-job.ts'

/** Starts a new run of the job. Durable when this resolves. @throws job_not_found, permission_denied, run_not_ended */
export async function retryJob(
  context: ApiContext,
  id: string,
  caller: Caller,
  asked: Asked = {},
): Promise<Job> {
  const before = await getJob(context.store, id)
  return startAgain(context, before, caller, asked, ({ runId, timeMs }) => ({
    ...before,
    ...newRunOfJob(runId, before.attempt + 1),
    updated_at: new Date(timeMs).toISOString(),
  }))
}
