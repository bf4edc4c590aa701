import type { BulkResult, BulkRuns } from '@kyros/contract/job'
import { ProblemError } from '@kyros/contract/problem'
import type { Engine } from '@kyros/engine/engine'
import type { Caller } from '@kyros/kernel/verifier'
import type { ApiContext } from '../context.ts'
import { defaultCancelReason } from './ask-to-stop.ts'
import { getRunRecord } from './get-run.ts'
import { mustOwnRun } from './must-own.ts'
import { retryRun } from './retry-run.ts'

const atOnce = 20

type Act = (context: ApiContext, id: string, caller: Caller) => Promise<BulkResult>

/**
 * Does the same to many runs. Each stands for itself: one that cannot be is said so and keeps none of the others
 * back. A cancelled run may still be cleaning up when this resolves; what was asked for is durable.
 */
export async function bulkRuns(
  context: ApiContext,
  { action, ids }: BulkRuns,
  caller: Caller,
): Promise<BulkResult[]> {
  const act = acts[action]
  const results: BulkResult[] = []
  const waiting = [...ids.entries()]
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, id] = next
      results[index] = await act(context, id, caller).catch((error: unknown) => refused(id, error))
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, ids.length) }, worker))
  return results
}

const acts: Record<BulkRuns['action'], Act> = {
  cancel: (context, id, caller) =>
    changeOne(context, id, caller, (engine) => engine.cancel(id, defaultCancelReason, caller)),
  pause: (context, id, caller) => changeOne(context, id, caller, (engine) => engine.pause(id, caller)),
  resume: (context, id, caller) => changeOne(context, id, caller, (engine) => engine.resume(id, caller)),
  upgrade: (context, id, caller) =>
    changeOne(context, id, caller, (engine) => engine.upgrade(id, { principal: caller })),
  retry: async (context, id, caller) => {
    const { run_id, status } = await retryRun(context, id, caller)
    return { id, ok: true, status, run_id }
  },
}

async function changeOne(
  { store, engine }: ApiContext,
  id: string,
  caller: Caller,
  change: (engine: Engine) => Promise<unknown>,
): Promise<BulkResult> {
  const { job_id } = await getRunRecord(store, id)
  await mustOwnRun(store, job_id, caller)
  await change(engine)
  const { status } = await getRunRecord(store, id)
  return { id, ok: true, status }
}

/** A mistake or an outage belongs to its run; a bug ends the request. */
function refused(id: string, error: unknown): BulkResult {
  if (!(error instanceof ProblemError)) throw error
  return { id, ok: false, code: error.code, detail: error.message }
}
