import { isTerminal } from '@kyros/contract/run-status'
import type { Answer, Batch } from '../batch.ts'
import { type Appended, type CommandOf, EngineFenced, type RunAppend, RunConflict } from '../command.ts'
import { type Failure, toFailure } from '../outcome.ts'
import { refuse } from '../refusal.ts'
import { int, type Steps } from '../statement.ts'
import { findRun } from './find-run.ts'

type AppendResult = { firstSeq: number } | { failure: Failure }

/** Each append of the list stands for itself: one that is refused leaves nothing and keeps no other from the log. */
export function* appendMany(
  { appends, epoch }: CommandOf<'append_many'>,
  batch: Batch,
): Steps<Answer<AppendResult[]>> {
  const results: ((base: number) => AppendResult)[] = []
  for (const append of appends) {
    try {
      const appended = yield* appendRunEvents(epoch === undefined ? append : { ...append, epoch }, batch)
      results.push((base) => ({ firstSeq: appended(base).seqs[0] ?? 0 }))
    } catch (error) {
      const failure = toFailure(error)
      if (failure.type === 'bug') throw error
      results.push(() => ({ failure }))
    }
  }
  return (base) => results.map((result) => result(base))
}

export function* appendRunEvents(command: RunAppend, batch: Batch): Steps<(base: number) => Appended> {
  const { runId, events, expectedRunSeq, unlessEnded, epoch } = command
  if (epoch !== undefined) yield* checkEpoch(batch, epoch)
  const entry = yield* findRun(batch, runId)
  const { run_seq, status } = entry.state
  if (unlessEnded && isTerminal(status)) {
    throw refuse('run_ended', `Run ${runId} is ${status}; what has ended does not change.`)
  }
  if (expectedRunSeq !== undefined && expectedRunSeq !== run_seq) throw new RunConflict(runId, run_seq)
  return batch.append(entry, events)
}

/** Once per batch: the row stays locked, so the epoch cannot change before the commit. */
function* checkEpoch(batch: Batch, epoch: number): Steps<void> {
  if (batch.leaseEpoch === undefined) {
    const [lease] = yield { sql: 'SELECT epoch FROM engine_lease WHERE id = 1', params: [], lock: true }
    batch.leaseEpoch = lease ? int(lease, 'epoch') : 0
  }
  if (batch.leaseEpoch !== epoch) {
    throw new EngineFenced(`The engine's lease is at epoch ${batch.leaseEpoch}, not ${epoch}`)
  }
}
