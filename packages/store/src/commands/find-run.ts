import type { Batch } from '../batch.ts'
import { refuse } from '../refusal.ts'
import type { RunEntry } from '../run-entry.ts'

/** The run as this batch knows it; read once and then kept in memory. @throws run_not_found */
export function findRun(batch: Batch, runId: string): RunEntry {
  const entry = batch.find(runId)
  if (entry === undefined) {
    throw refuse('run_not_found', `There is no run ${runId}; it may have been deleted.`)
  }
  return entry
}
