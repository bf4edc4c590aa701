import { canDelete } from '@kyros/contract/run-status'
import type { Batch } from '../batch.ts'
import type { CommandOf } from '../command.ts'
import { refuse } from '../refusal.ts'
import { runStatus } from '../run-entry.ts'
import { int, type Row, type Steps, text } from '../statement.ts'
import { deleteStreams } from './append-stream.ts'
import { findJob } from './retry-job.ts'

export function* deleteJob(
  { jobId, actor, timeMs }: CommandOf<'delete_job'>,
  batch: Batch,
): Steps<{ deleted: true }> {
  const job = yield* findJob(jobId)
  const runs = yield {
    sql: 'SELECT ref, id, status FROM runs WHERE job_id = ? ORDER BY ref',
    params: [jobId],
    lock: true,
  }
  const latest = runs.find((run) => int(run, 'ref') === job.runRef)
  if (latest && !canDelete({ status: runStatus(latest) })) {
    throw refuse('job_running', 'Cancel the job first, or delete it with force=true.')
  }
  for (const run of runs) yield* deleteRun(batch, jobId, run, run === latest)
  yield { sql: 'DELETE FROM jobs WHERE id = ?', params: [jobId] }
  batch.emit({ type: 'job.deleted', subject: `jobs/${jobId}`, jobId, actor, timeMs, data: {} })
  return { deleted: true }
}

function* deleteRun(batch: Batch, jobId: string, run: Row, isLatest: boolean): Steps<void> {
  const ref = int(run, 'ref')
  const id = text(run, 'id')
  yield { sql: 'INSERT INTO deleted_runs (ref, id, job_id) VALUES (?, ?, ?)', params: [ref, id, jobId] }
  yield { sql: 'DELETE FROM logs WHERE run = ?', params: [ref] }
  yield { sql: 'DELETE FROM artifacts WHERE run = ?', params: [ref] }
  yield* deleteStreams(ref)
  yield { sql: 'DELETE FROM runs WHERE ref = ?', params: [ref] }
  batch.count(runStatus(run), -1, isLatest ? -1 : 0)
  batch.forget(id)
}
