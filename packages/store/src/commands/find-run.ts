import type { Batch } from '../batch.ts'
import { refuse } from '../refusal.ts'
import { entryColumns, entryFromRow, type RunEntry } from '../run-entry.ts'
import type { Steps } from '../statement.ts'

/** The run as this batch knows it; read once and then kept in memory. @throws run_not_found */
export function* findRun(batch: Batch, runId: string): Steps<RunEntry> {
  const known = batch.runs.get(runId)
  if (known) {
    // The map is in order of use: what was not used for longest is dropped first.
    batch.runs.delete(runId)
    batch.runs.set(runId, known)
    return known
  }
  const [row] = yield {
    sql: `SELECT ${entryColumns} FROM runs WHERE id = ?`,
    params: [runId],
    lock: true,
  }
  if (!row) throw refuse('run_not_found', `There is no run ${runId}; it may have been deleted.`)
  const entry = entryFromRow(row)
  batch.runs.set(runId, entry)
  return entry
}
