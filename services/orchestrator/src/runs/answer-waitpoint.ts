import type { Json } from '@kyros/contract/json'
import { isProblem, problem } from '@kyros/contract/problem'
import type { Caller } from '@kyros/kernel/verifier'
import type { ApiContext } from '../context.ts'
import { getRunRecord } from './get-run.ts'
import { mustOwnRun } from './must-own.ts'

/**
 * Answers a waitpoint for whoever may act on the run. Durable when this resolves; the same answer again changes nothing.
 * @throws run_not_found, permission_denied, waitpoint_not_found, waitpoint_closed
 */
export async function answerWaitpoint(
  { store, engine }: ApiContext,
  { id, command }: { id: string; command: number },
  payload: Json,
  caller: Caller,
): Promise<{ message: string }> {
  const { job_id } = await getRunRecord(store, id)
  await mustOwnRun(store, job_id, caller)
  try {
    const { waitpoint } = await engine.answerWaitpoint(id, command, payload, caller)
    return { message: `The answer to ${waitpoint} is taken.` }
  } catch (error) {
    if (!isProblem(error, 'waitpoint_token_invalid')) throw error
    throw problem('waitpoint_not_found', {
      detail: `The step ${command} of run ${id} is no waitpoint. GET /api/v1/workflows/${id} lists its steps.`,
    })
  }
}
