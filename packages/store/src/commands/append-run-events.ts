import { isTerminal } from '@kyros/contract/run-status'
import type { Batch } from '../batch.ts'
import { EngineFenced, RunConflict } from '../command.ts'
import { type Failure, toFailure } from '../outcome.ts'
import { refuse } from '../refusal.ts'
import type { HotAppend } from '../wire.ts'
import { findRun } from './find-run.ts'

/** Each append of the list stands for itself: one that is refused leaves nothing and keeps no other from the log. */
export function appendMany(appends: readonly HotAppend[], batch: Batch): (number | Failure)[] {
  return appends.map((append) => {
    try {
      return appendRunEvents(append, batch)
    } catch (error) {
      const failure = toFailure(error)
      if (failure.type === 'bug') throw error
      return failure
    }
  })
}

/** Returns the number of the first event, 0 where there is none. */
export function appendRunEvents(append: HotAppend, batch: Batch): number {
  const { runId, expectedRunSeq, unlessEnded, epoch, facts } = append
  if (epoch !== undefined) checkEpoch(batch, epoch)
  const entry = findRun(batch, runId)
  const { run_seq, status } = entry.state
  if (unlessEnded && isTerminal(status)) {
    throw refuse('run_ended', `Run ${runId} is ${status}; what has ended does not change.`)
  }
  if (expectedRunSeq !== undefined && expectedRunSeq !== run_seq) throw new RunConflict(runId, run_seq)
  return batch.append(entry, facts)
}

/** Until the commit the epoch cannot change: its row is locked, or there is no other writer. */
export function checkEpoch({ ledger, lookups }: Batch, epoch: number): void {
  ledger.leaseEpoch ??= lookups.leaseEpoch()
  if (ledger.leaseEpoch === epoch) return
  throw new EngineFenced(`The engine's lease is at epoch ${ledger.leaseEpoch}, not ${epoch}`)
}
