import { problem } from '@kyros/contract/problem'
import { isTerminal } from '@kyros/contract/run-status'
import type { RunRecord, Store } from '@kyros/store/store'

/** @throws run_not_found */
export async function readRun(store: Store, runId: string): Promise<RunRecord> {
  const record = await store.runs.get(runId)
  if (record === undefined) throw problem('run_not_found', { detail: `There is no run ${runId}.` })
  return record
}

/** @throws run_not_found, run_ended */
export async function readUnended(store: Store, runId: string): Promise<RunRecord> {
  const record = await readRun(store, runId)
  mustNotHaveEnded(record)
  return record
}

/** @throws run_ended */
export function mustNotHaveEnded({ id, status }: RunRecord): void {
  if (!isTerminal(status)) return
  throw problem('run_ended', {
    detail: `The run ${id} is ${status}: nothing reaches it any more.`,
  })
}
