import type { Principal } from '@kyros/engine/engine'
import type { ApiContext } from '../context.ts'
import { awaitRunEnd } from './await-run-end.ts'

/** How long an answer waits for a run that has nothing to clean up, so that it can already say `cancelled`. */
const settleMs = 500

export const defaultCancelReason = 'User requested cancellation'

/** Asks a run to stop; durable when this resolves. A run that is busy ends later. @throws run_not_found, run_ended */
export async function askToStop(
  context: ApiContext,
  runId: string,
  reason: string | undefined,
  principal: Principal,
): Promise<void> {
  await context.engine.cancel(runId, reason ?? defaultCancelReason, principal)
  await awaitRunEnd(context, runId, settleMs)
}
