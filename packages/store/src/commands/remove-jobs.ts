import { isTerminal } from '@kyros/contract/run-status'
import type { Batch } from '../batch.ts'
import type { CommandOf } from '../command.ts'
import { runStatus } from '../run-entry.ts'
import { int, intOrNull, type Row, type Steps, text } from '../statement.ts'
import { deleteRowsOfRun, runsOfJob } from './delete-job.ts'

/** The largest number that retention has taken out of the journal: who asks from below gets a `reset`. */
export const removedKey = 'removed_seq'

const seqsAtOnce = 500

type Removed = { jobs: string[]; runs: number; lastSeq: number }

/** The projections are up to date: the caller has seen to that. */
export function* removeJobs(
  { jobIds, endedBeforeMs, maxDeletedRuns, timeMs }: CommandOf<'remove_jobs'>,
  batch: Batch,
): Steps<{ jobs: string[]; runs: number }> {
  const removed: Removed = { jobs: [], runs: 0, lastSeq: 0 }
  for (const jobId of jobIds) yield* removeJob(batch, jobId, endedBeforeMs, removed)
  yield* removeDeletedRuns(endedBeforeMs, maxDeletedRuns, removed)
  const { jobs, runs } = removed
  if (runs === 0) return { jobs, runs }
  yield {
    sql: `INSERT INTO settings (key, value) VALUES ('${removedKey}', ?) ON CONFLICT (key) DO UPDATE SET value =
      CASE WHEN CAST(excluded.value AS BIGINT) > CAST(settings.value AS BIGINT) THEN excluded.value ELSE settings.value END`,
    params: [String(removed.lastSeq)],
  }
  // A new last event: the number of the one before, which may be gone, must not be given again.
  const data = { jobs: jobs.length, runs }
  batch.emit({ type: 'kyros.retention', subject: 'kyros', actor: 'kyros', timeMs, data })
  batch.mustProject = true
  return { jobs, runs }
}

/** Left alone when it is not old any more, because somebody tried it again. */
function* removeJob(batch: Batch, jobId: string, endedBeforeMs: number, removed: Removed): Steps<void> {
  const [job] = yield { sql: 'SELECT run_ref FROM jobs WHERE id = ?', params: [jobId], lock: true }
  if (!job) return
  const runs = yield* runsOfJob(jobId, int(job, 'run_ref'))
  if (!runs.every((run) => isOld(run, endedBeforeMs)) || (yield* hasNewestRun(runs))) return
  for (const run of runs) {
    yield* removeFacts(int(run, 'last_seq'), removed)
    yield* deleteRowsOfRun(int(run, 'ref'))
    batch.ledger.count(runStatus(run), -1, int(run, 'ref') === int(job, 'run_ref') ? -1 : 0)
    batch.ledger.forget(text(run, 'id'))
    removed.runs++
  }
  const rest = yield { sql: 'SELECT seq FROM events WHERE job = ?', params: [jobId] }
  yield* deleteRows(
    rest.map((row) => int(row, 'seq')),
    removed,
  )
  yield { sql: 'DELETE FROM jobs WHERE id = ?', params: [jobId] }
  removed.jobs.push(jobId)
}

function isOld(run: Row, endedBeforeMs: number): boolean {
  const endedMs = intOrNull(run, 'completed_ms')
  return isTerminal(runStatus(run)) && endedMs !== null && endedMs <= endedBeforeMs
}

/** The numbers of runs go on from the largest one, and a number must not mean two runs. */
function* hasNewestRun(runs: readonly Row[]): Steps<boolean> {
  const [newest] = yield { sql: 'SELECT MAX(ref) AS ref FROM runs', params: [] }
  return runs.some((run) => newest !== undefined && int(run, 'ref') === newest.ref)
}

/** What people deleted: only the journal still has it. */
function* removeDeletedRuns(endedBeforeMs: number, limit: number, removed: Removed): Steps<void> {
  const runs = yield {
    sql: `SELECT d.ref, d.job_id, d.last_seq FROM deleted_runs d LEFT JOIN events e ON e.seq = d.last_seq
      WHERE (e.time_ms IS NULL OR e.time_ms <= ?)
        AND d.ref < COALESCE((SELECT MAX(ref) FROM runs), 0) ORDER BY d.ref LIMIT ?`,
    params: [endedBeforeMs, limit],
  }
  for (const run of runs) {
    yield* removeFacts(int(run, 'last_seq'), removed)
    yield { sql: 'DELETE FROM deleted_runs WHERE ref = ?', params: [int(run, 'ref')] }
    const others = yield {
      sql: 'SELECT 1 FROM deleted_runs WHERE job_id = ? LIMIT 1',
      params: [text(run, 'job_id')],
    }
    if (others.length === 0) {
      const rest = yield { sql: 'SELECT seq FROM events WHERE job = ?', params: [text(run, 'job_id')] }
      yield* deleteRows(
        rest.map((row) => int(row, 'seq')),
        removed,
      )
    }
    removed.runs++
  }
}

/** All rows of a run in the journal, from the last one on. */
function* removeFacts(lastSeq: number, removed: Removed): Steps<void> {
  const rows = yield {
    sql: `WITH RECURSIVE found AS (SELECT seq, prev FROM events WHERE seq = ?
      UNION ALL SELECT e.seq, e.prev FROM found f JOIN events e ON e.seq = f.prev) SELECT seq FROM found`,
    params: [lastSeq],
  }
  yield* deleteRows(
    rows.map((row) => int(row, 'seq')),
    removed,
  )
}

function* deleteRows(seqs: readonly number[], removed: Removed): Steps<void> {
  for (let from = 0; from < seqs.length; from += seqsAtOnce) {
    const some = seqs.slice(from, from + seqsAtOnce)
    yield { sql: `DELETE FROM events WHERE seq IN (${some.map(() => '?')})`, params: some }
    removed.lastSeq = Math.max(removed.lastSeq, ...some)
  }
}
