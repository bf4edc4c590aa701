import type { Run } from '@kyros/contract/run'
import type { Caller } from '@kyros/kernel/verifier'
import type { ApiContext } from '../context.ts'
import { askToStop } from './ask-to-stop.ts'
import { getRun, getRunRecord } from './get-run.ts'
import { mustOwnRun } from './must-own.ts'

/** Asks a run to stop; durable when this resolves. @throws run_not_found, permission_denied, run_ended */
export async function cancelRun(
  context: ApiContext,
  id: string,
  reason: string | undefined,
  caller: Caller,
): Promise<Run> {
  const { job_id } = await getRunRecord(context.store, id)
  await mustOwnRun(context.store, job_id, caller)
  await askToStop(context, id, reason, caller)
  return getRun(context.store, id)
}
