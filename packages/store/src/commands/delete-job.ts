import { canDelete } from '@kyros/contract/run-status'
import type { Batch } from '../batch.ts'
import type { CommandOf } from '../command.ts'
import { refuse } from '../refusal.ts'
import { runStatus } from '../run-entry.ts'
import { int, type Row, type Steps, text } from '../statement.ts'
import { deleteStreams } from './append-stream.ts'
import { findJob } from './retry-job.ts'

/** The projections are up to date: the caller has seen to that. */
export function* deleteJob(
  { jobId, actor, timeMs }: CommandOf<'delete_job'>,
  batch: Batch,
): Steps<{ deleted: true }> {
  const job = yield* findJob(jobId)
  const runs = yield* runsOfJob(jobId, job.runRef)
  const latest = runs.find((run) => int(run, 'ref') === job.runRef)
  if (latest && !canDelete({ status: runStatus(latest) })) {
    throw refuse('job_running', 'Cancel the job first, or delete it with force=true.')
  }
  for (const run of runs) yield* deleteRun(batch, jobId, run, run === latest)
  yield { sql: 'DELETE FROM jobs WHERE id = ?', params: [jobId] }
  batch.emit({ type: 'job.deleted', subject: `jobs/${jobId}`, jobId, actor, timeMs, data: {} })
  batch.mustProject = true
  return { deleted: true }
}

/** Locked, oldest first. */
export function* runsOfJob(jobId: string, latestRef: number): Steps<readonly Row[]> {
  return yield {
    sql: `SELECT ref, id, status, last_seq, completed_ms FROM runs WHERE ref = ? OR (job_id = ? AND latest = 0) ORDER BY ref`,
    params: [latestRef, jobId],
    lock: true,
  }
}

function* deleteRun(batch: Batch, jobId: string, run: Row, isLatest: boolean): Steps<void> {
  const ref = int(run, 'ref')
  const id = text(run, 'id')
  yield {
    sql: 'INSERT INTO deleted_runs (ref, id, job_id, last_seq) VALUES (?, ?, ?, ?)',
    params: [ref, id, jobId, int(run, 'last_seq')],
  }
  yield* deleteRowsOfRun(ref)
  batch.ledger.count(runStatus(run), -1, isLatest ? -1 : 0)
  batch.ledger.forget(id)
}

/** The run and what hangs on it; not its events. */
export function* deleteRowsOfRun(ref: number): Steps<void> {
  yield* deleteStreams(ref)
  for (const sql of [
    'DELETE FROM logs WHERE run = ?',
    'DELETE FROM artifacts WHERE run = ?',
    'DELETE FROM runs WHERE ref = ?',
  ]) {
    yield { sql, params: [ref] }
  }
}
