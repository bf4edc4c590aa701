import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { migrate, rollback } from '../migrate.ts'
import { openStore } from '../open-store.ts'
import { restore } from '../restore.ts'
import { type DatabaseTarget, openSession } from '../session.ts'
import { ask, type Row } from '../statement.ts'
import { readLog, startMs } from './rig.ts'

const fixture = fileURLToPath(new URL('../fixtures/backup-of-schema-3', import.meta.url))
const schemaWithSingles = 3

/** Databases of earlier versions, made by those versions. */
export function testHistory(target: () => DatabaseTarget): void {
  test('a journal of one row for each fact is packed and unpacked without losing a word', async () => {
    const before = readFileSync(`${fixture}/tables/events.ndjson`, 'utf8').trim().split('\n')
    const rows: Row[] = before.map((line) => JSON.parse(line))
    await restore(target(), fixture, { nowMs: startMs })
    const seen = await readAll(target())
    expect(seen.log.map(({ seq }) => seq)).toEqual(rows.map(({ seq }) => seq))
    expect(seen.log.map(({ data }) => data)).toEqual(rows.map(({ data }) => JSON.parse(String(data))))
    expect(seen.log.map(({ actor = null }) => actor)).toEqual(rows.map(({ actor }) => actor))
    expect(seen.log.map(({ run_seq = null }) => run_seq)).toEqual(rows.map(({ run_seq }) => run_seq))
    expect(seen.jobs.map(({ status }) => status)).toEqual(['completed', 'waiting'])
    // What is older than the second engine belongs to the first one.
    expect(seen.unfinished).toEqual(
      seen.runs.filter(({ status }) => status === 'waiting').map(({ id }) => id),
    )
    expect(seen.runs.every((run) => !('engine' in run))).toBe(true)
    expect(seen.ofFirstJob.map(({ type }) => type)).toEqual([
      ...['job.created', 'run.created', 'run.started', 'step.scheduled', 'step.started', 'step.completed'],
      ...['note', 'run.failed', 'run.created', 'run.waiting'],
    ])
    expect(seen.ofDeletedJob.map(({ type }) => type)).toEqual([
      ...['job.created', 'run.created', 'run.completed', 'job.deleted'],
    ])
    while ((await version(target())) > schemaWithSingles) await rollback(target(), { nowMs: startMs })
    expect(await rowsOfEvents(target())).toEqual(rows)
    await migrate(target(), startMs)
    expect(await readAll(target())).toEqual(seen)
    await goOn(target())
  })
}

/** A run from before goes on, and its new facts are found with the old ones. */
async function goOn(target: DatabaseTarget): Promise<void> {
  const store = await openStore(target)
  const [run] = (await store.runs.list({ status: 'waiting' })).items
  const before = await store.events.ofRun(run?.id ?? '')
  const result = { type: 'run.completed', timeMs: startMs + 500, data: { result: 1 } } as const
  const line = { timeMs: startMs, level: 'info', step: null, attempt: null, message: 'more' } as const
  await store.write({ kind: 'append_run_events', runId: run?.id ?? '', events: [result], expectedRunSeq: 2 })
  const logged = (await store.runs.list({ status: 'failed' })).items[0]?.id ?? ''
  expect(await store.write({ kind: 'append_log_lines', runId: logged, lines: [line] })).toEqual({
    lastLine: 3,
  })
  const after = await store.events.ofRun(run?.id ?? '')
  expect(after.slice(0, -1)).toEqual(before)
  expect(after.at(-1)).toMatchObject({ type: 'run.completed', run_seq: 3 })
  await store.close()
}

async function readAll(target: DatabaseTarget) {
  const store = await openStore(target)
  const log = await readLog(store)
  const jobs = (await store.jobs.list({})).items
  const runs = (await store.runs.list({})).items
  const deleted = log.find(({ type }) => type === 'job.deleted')?.job_id ?? ''
  const ofDeletedJob = (await store.events.list({ job_id: deleted })).items
  const ofFirstJob = (await store.events.list({ job_id: jobs.at(-1)?.id ?? '' })).items
  const unfinished = await store.runs.unfinishedIds(undefined, 9)
  const lines = await store.logs.list(runs.at(-1)?.id ?? '', { after: 0, limit: 9 })
  await store.close()
  return { log, jobs, runs, unfinished, ofDeletedJob, ofFirstJob, lines }
}

async function version(target: DatabaseTarget): Promise<number> {
  const [row] = await query(target, 'SELECT MAX(version) AS version FROM schema_migrations')
  return Number(row?.version)
}

function rowsOfEvents(target: DatabaseTarget): Promise<readonly Row[]> {
  return query(
    target,
    'SELECT seq, run, run_seq, type, subject, job, actor, time_ms, data FROM events ORDER BY seq',
  )
}

async function query(target: DatabaseTarget, sql: string): Promise<readonly Row[]> {
  const session = await openSession(target, 'read')
  const rows = await session.run(ask(sql))
  await session.close()
  return rows.map((row) => ({ ...row }))
}
