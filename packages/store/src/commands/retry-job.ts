import { isTerminal } from '@kyros/contract/run-status'
import type { Answer, Batch } from '../batch.ts'
import type { CommandOf, Replayed, Submitted } from '../command.ts'
import { refuse } from '../refusal.ts'
import { int, type Steps, text } from '../statement.ts'
import { findRun } from './find-run.ts'
import { replayAnswer } from './replay-answer.ts'

export function* retryJob(
  command: CommandOf<'retry_job'>,
  batch: Batch,
): Steps<Answer<Submitted | Replayed>> {
  const { run, events, idempotency, announce } = command
  const replayed = yield* replayAnswer(batch, idempotency)
  if (replayed) return replayed
  const job = yield* findJob(run.jobId)
  const [last] = yield { sql: 'SELECT id FROM runs WHERE ref = ?', params: [job.runRef] }
  if (!last) throw new Error(`Job ${run.jobId} points at no run`)
  const previous = yield* findRun(batch, text(last, 'id'))
  if (!isTerminal(previous.state.status)) {
    throw refuse('run_not_ended', 'Wait until the latest run has ended, or cancel it first.')
  }
  batch.supersede(previous)
  const entry = batch.addRun(run, job.input)
  batch.setLatest(run.jobId, entry)
  if (idempotency) batch.keepAnswer(idempotency)
  if (announce) batch.announce(run)
  const appended = batch.append(entry, events)
  return (base) => ({ seqs: appended(base).seqs })
}

/** @throws job_not_found */
export function* findJob(jobId: string): Steps<{ runRef: number; input: string }> {
  const [row] = yield { sql: 'SELECT run_ref, input FROM jobs WHERE id = ?', params: [jobId], lock: true }
  if (!row) throw refuse('job_not_found', `There is no job ${jobId}; it may have been deleted.`)
  return { runRef: int(row, 'run_ref'), input: text(row, 'input') }
}
