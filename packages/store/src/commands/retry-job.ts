import { isTerminal } from '@kyros/contract/run-status'
import type { Answer, Batch } from '../batch.ts'
import type { CommandOf, Replayed, Submitted } from '../command.ts'
import { refuse } from '../refusal.ts'
import { entryColumns, entryFromRow, type RunEntry } from '../run-entry.ts'
import { int, type Steps, text } from '../statement.ts'
import { inputColumn, toSubmission } from '../wire.ts'
import { replayAnswer } from './replay-answer.ts'

/** The projections are up to date: the caller has seen to that. */
export function* retryJob(
  command: CommandOf<'retry_job'>,
  batch: Batch,
): Steps<Answer<Submitted | Replayed>> {
  const { run, events } = command
  const replayed = replayAnswer(batch, command.idempotency)
  if (replayed) return replayed
  const job = yield* findJob(run.jobId)
  const previous = yield* findLatest(batch, job.runRef)
  if (!isTerminal(previous.state.status)) {
    throw refuse('run_not_ended', 'Wait until the latest run has ended, or cancel it first.')
  }
  previous.latest = false
  batch.ledger.count(previous.state.status, 0, -1)
  batch.ledger.change(previous)
  batch.mustProject = true
  const submission = toSubmission(command)
  const { runColumns } = submission
  if (runColumns[inputColumn] === job.input) runColumns[inputColumn] = null
  const { entry, firstSeq } = batch.submit(submission)
  batch.ledger.setLatest(run.jobId, entry)
  return (shift) => ({ seqs: events.map((_, index) => firstSeq + shift + index) })
}

function* findLatest(batch: Batch, ref: number): Steps<RunEntry> {
  const [row] = yield { sql: `SELECT ${entryColumns} FROM runs WHERE ref = ?`, params: [ref], lock: true }
  if (!row) throw new Error(`There is no run ${ref}, the latest of its job`)
  const id = text(row, 'id')
  const entry = batch.runs.get(id) ?? entryFromRow(row)
  batch.runs.set(id, entry)
  return entry
}

/** @throws job_not_found */
export function* findJob(jobId: string): Steps<{ runRef: number; input: string }> {
  const [row] = yield { sql: 'SELECT run_ref, input FROM jobs WHERE id = ?', params: [jobId], lock: true }
  if (!row) throw refuse('job_not_found', `There is no job ${jobId}; it may have been deleted.`)
  return { runRef: int(row, 'run_ref'), input: text(row, 'input') }
}
