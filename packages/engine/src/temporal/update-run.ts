import type { Json } from '@kyros/contract/json'
import { isProblem, problem } from '@kyros/contract/problem'
import { isTerminal } from '@kyros/contract/run-status'
import type { Store } from '@kyros/store/store'
import { readRun } from '../embedded/operations/read-run.ts'
import { longestWaitMs, notStarted, pending, type Update } from '../embedded/operations/update-run.ts'
import { messageOf } from '../error-text.ts'
import { answeredBefore, type OperationsParts } from './operations.ts'

/**
 * Temporal's own update. @throws update_unknown, update_rejected, update_failed, update_pending, run_not_started,
 * run_ended, run_not_found
 */
export async function updateRun(parts: OperationsParts, runId: string, update: Update): Promise<Json> {
  const { store, cluster } = parts
  const { name, payload, updateId, actor } = update
  const record = await readRun(store, runId)
  if (isTerminal(record.status)) return answeredBefore(store, record, update)
  if (record.started_at === null) throw notStarted(runId)
  // The cluster knows the ids of one part only.
  if ((record.continued ?? 0) > 0 && (await wasAccepted(store, runId, updateId)))
    return answeredBefore(store, record, update)
  try {
    return await cluster.update(runId, name, [payload, { actor }], updateId, longestWaitMs)
  } catch (error) {
    throw await explained(parts, runId, update, error)
  }
}

async function wasAccepted(store: Store, runId: string, updateId: string): Promise<boolean> {
  const events = await store.events.ofRun(runId)
  return events.some(({ type, data }) => type === 'update.accepted' && data.update_id === updateId)
}

async function explained(
  parts: OperationsParts,
  runId: string,
  update: Update,
  error: unknown,
): Promise<unknown> {
  if (isProblem(error, 'temporal_unavailable'))
    return pending(update, 'The Temporal cluster does not answer.')
  const name = error instanceof Error ? error.name : ''
  if (name === 'WorkflowUpdateRPCTimeoutOrCancelledError') return pending(update)
  if (name === 'WorkflowNotFoundError') {
    const record = await readRun(parts.store, runId)
    return answeredBefore(parts.store, record, update).catch((ended: unknown) => ended)
  }
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : undefined
  if (name !== 'WorkflowUpdateFailedError' || cause === undefined) return error
  const said = messageOf(cause)
  const type = 'type' in cause && typeof cause.type === 'string' ? cause.type : undefined
  if (said.startsWith('No registered handler for update')) {
    return problem('update_unknown', { detail: `The definition takes no update ${update.name} now.` })
  }
  if (type === 'update_rejected') return problem('update_rejected', { detail: said })
  const detail = `The update ${update.name} failed with ${type ?? 'an error'}: ${said}`
  return problem('update_failed', { detail })
}
