import type { Run } from '@kyros/contract/run'
import type { Principal } from '@kyros/engine/engine'
import type { ApiContext } from '../context.ts'
import { defaultCancelReason } from '../jobs/cancel-job.ts'
import { awaitRunEnd } from './await-run-end.ts'
import { getRun, getRunRecord } from './get-run.ts'

/** How long the answer waits for a run that has nothing to clean up. */
const settleMs = 500

/** Asks a run to stop; durable when this resolves. @throws run_not_found, run_ended */
export async function cancelRun(
  context: ApiContext,
  id: string,
  reason: string | undefined,
  caller: Principal,
): Promise<Run> {
  await getRunRecord(context.store, id)
  await context.engine.cancel(id, reason ?? defaultCancelReason, caller)
  await awaitRunEnd(context, id, settleMs)
  return getRun(context.store, id)
}
