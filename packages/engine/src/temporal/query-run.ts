import type { Json } from '@kyros/contract/json'
import { isProblem, problem } from '@kyros/contract/problem'
import { isTerminal } from '@kyros/contract/run-status'
import { answered, queryBeside } from '../embedded/operations/query-run.ts'
import { readRun } from '../embedded/operations/read-run.ts'
import { notStarted } from '../embedded/operations/update-run.ts'
import type { QueryAnswer } from '../embedded/workflow-messages.ts'
import { messageOf } from '../error-text.ts'
import type { OperationsParts } from './operations.ts'

const queryMs = 10_000

const isUnknown = (error: unknown) => error instanceof Error && error.name === 'WorkflowNotFoundError'

/**
 * Asks a worker that executes the run. Of a run that has ended, or that no worker executes now, the log is replayed
 * here. @throws query_unknown, query_failed, run_not_started, run_not_found
 */
export async function queryRun(
  parts: OperationsParts,
  runId: string,
  name: string,
  payload: Json,
): Promise<Json> {
  const { store, cluster } = parts
  const record = await readRun(store, runId)
  if (record.started_at === null) throw notStarted(runId)
  if (isTerminal(record.status)) return queryBeside(parts, record, name, payload)
  let said: Json
  try {
    said = await cluster.query(runId, name, payload, queryMs)
  } catch (error) {
    if (isProblem(error, 'temporal_unavailable')) return queryBeside(parts, record, name, payload)
    // One that came from the embedded engine is on its way to the cluster, which may not have it yet.
    if (isUnknown(error)) return queryBeside(parts, record, name, payload)
    throw problem('query_failed', { detail: `The query ${name} failed: ${messageOf(error)}` })
  }
  if (!isAnswer(said)) throw problem('query_unknown', { detail: `${name} is no query of the definition.` })
  return answered(name, said)
}

/** What Kyros and the SDK ask of a run is answered otherwise. */
function isAnswer(said: Json): said is Json & QueryAnswer {
  return typeof said === 'object' && said !== null && 'ok' in said
}
