import type { BulkResult, BulkRuns } from '@kyros/contract/job'
import { ProblemError } from '@kyros/contract/problem'
import type { Caller } from '@kyros/kernel/verifier'
import type { ApiContext } from '../context.ts'
import { defaultCancelReason } from './ask-to-stop.ts'
import { getRunRecord } from './get-run.ts'
import { mustOwnRun } from './must-own.ts'
import { retryRun } from './retry-run.ts'

const atOnce = 20

/**
 * Cancels or retries many runs. Each stands for itself: one that cannot be is said so and keeps none of the others
 * back. A cancelled run may still be cleaning up when this resolves; what was asked for is durable.
 */
export async function bulkRuns(
  context: ApiContext,
  { action, ids }: BulkRuns,
  caller: Caller,
): Promise<BulkResult[]> {
  const act = action === 'cancel' ? cancelOne : retryOne
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

async function cancelOne({ store, engine }: ApiContext, id: string, caller: Caller): Promise<BulkResult> {
  const { job_id } = await getRunRecord(store, id)
  await mustOwnRun(store, job_id, caller)
  await engine.cancel(id, defaultCancelReason, caller)
  const { status } = await getRunRecord(store, id)
  return { id, ok: true, status }
}

async function retryOne(context: ApiContext, id: string, caller: Caller): Promise<BulkResult> {
  const { run_id, status } = await retryRun(context, id, caller)
  return { id, ok: true, status, run_id }
}

/** A mistake or an outage belongs to its run; a bug ends the request. */
function refused(id: string, error: unknown): BulkResult {
  if (!(error instanceof ProblemError)) throw error
  return { id, ok: false, code: error.code, detail: error.message }
}
