import type { Batch } from '../batch.ts'
import type { HotLines } from '../wire.ts'
import { findRun } from './find-run.ts'

/** Returns the number of the last line of the run. */
export function appendLogLines({ runId, lines }: HotLines, batch: Batch): number {
  const entry = findRun(batch, runId)
  for (const columns of lines) batch.addLine(entry, columns)
  entry.logLines ??= batch.lookups.lastLine(entry)
  return entry.logLines
}
