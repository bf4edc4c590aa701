import type { RunStarted } from '@kyros/contract/job'
import { problem } from '@kyros/contract/problem'
import type { Caller } from '@kyros/kernel/verifier'
import type { ApiContext } from '../context.ts'
import type { Asked } from '../http/kept-answer.ts'
import { getRunRecord } from './get-run.ts'
import { startAgain } from './start-again.ts'
import { newRunStarted } from './start-run.ts'

/** Starts a new run of the same job. Durable when this resolves. @throws run_not_found, permission_denied, run_not_ended */
export async function retryRun(
  context: ApiContext,
  id: string,
  caller: Caller,
  asked: Asked = {},
): Promise<RunStarted> {
  const { job_id } = await getRunRecord(context.store, id)
  const job = await context.store.jobs.get(job_id)
  if (job === undefined) {
    throw problem('run_not_found', { detail: `The job of run ${id} has just been deleted.` })
  }
  return startAgain(context, job, caller, asked, ({ runId }) =>
    newRunStarted(runId, job_id, context.engine.kind),
  )
}
