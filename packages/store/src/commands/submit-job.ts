import type { Batch } from '../batch.ts'
import type { Replayed } from '../command.ts'
import type { HotSubmission } from '../wire.ts'
import { checkEpoch } from './append-run-events.ts'
import { replayAnswer } from './replay-answer.ts'

/** A job with its first run; returns the number of the first event of the run. */
export function submitJob(submission: HotSubmission, batch: Batch): number | (() => Replayed) {
  const { runId, jobId, idempotency, epoch } = submission
  const replayed = replayAnswer(batch, idempotency)
  if (replayed) return replayed
  if (epoch !== undefined) checkEpoch(batch, epoch)
  const { ledger, lookups } = batch
  const isTaken =
    ledger.runs.get(runId) !== undefined || ledger.hasNewJob(jobId) || lookups.isTaken(runId, jobId)
  if (isTaken) throw new Error(`There is a job ${jobId} or a run ${runId} already`)
  return batch.submit(submission).firstSeq
}
