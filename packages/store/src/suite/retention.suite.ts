import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { FollowBatch, Store } from '../store.ts'
import {
  append,
  completed,
  newRun,
  readLog,
  runCreated,
  started,
  startMs,
  submission,
  submit,
} from './rig.ts'

const dayMs = 24 * 60 * 60 * 1000
const nowMs = startMs + 30 * dayMs

/** What is old is archived and goes; everything else stays. */
export function testRetention(store: () => Store): void {
  let archiveDir: string
  beforeEach(() => {
    archiveDir = mkdtempSync(join(tmpdir(), 'kyros-archive-'))
  })
  afterEach(() => {
    rmSync(archiveDir, { recursive: true })
  })

  const retain = (limit = 100) => store().retention.run({ olderThanMs: 10 * dayMs, nowMs, archiveDir, limit })
  const end = async (endedMs: number) => {
    const made = await submit(store())
    const output = { $blob: 'a'.repeat(64), bytes: 5 }
    await append(store(), made.run.id, started, completed(output, endedMs))
    return made
  }

  test('a job that ended long ago is archived with all that belongs to it, and then gone', async () => {
    const old = await end(startMs)
    const again = newRun(old.job, { attempt: 2 })
    await store().write({ kind: 'retry_job', run: again, events: [runCreated(again)] })
    await append(store(), again.id, completed(2, startMs + 5))
    const line = { timeMs: startMs, level: 'info', step: null, attempt: null, message: 'kept' } as const
    await store().write({ kind: 'append_log_lines', runId: old.run.id, lines: [line] })
    const { sha256, bytes } = await store().blobs.put(Buffer.from('a report'))
    const file = { runId: old.run.id, name: 'report', mediaType: 'text/plain', sha256, bytes }
    await store().write({ kind: 'put_artifact', ...file, createdMs: startMs })
    const young = await end(nowMs - dayMs)
    const before = await readLog(store())

    const retained = await retain()
    expect(retained).toMatchObject({ jobs: 1, runs: 2, hasMore: false })
    const lines = gunzipSync(readFileSync(retained.archive ?? ''))
      .toString()
      .trim()
      .split('\n')
    const archived = lines.map((text): object => JSON.parse(text))
    const names = archived.map((entry) => Object.keys(entry)[0] ?? '')
    const events = Array.from({ length: 6 }, () => 'event')
    expect(names.slice(5)).toEqual(events)
    expect(names.slice(0, 5).toSorted()).toEqual(['artifact', 'job', 'log', 'run', 'run'])
    expect(archived[0]).toMatchObject({ job: { id: old.job.id, status: 'completed' } })
    expect(readdirSync(join(archiveDir, 'blobs', sha256.slice(0, 2)))).toEqual([sha256])

    expect(await store().jobs.get(old.job.id)).toBeUndefined()
    expect(await store().runs.get(again.id)).toBeUndefined()
    expect(await store().events.ofRun(old.run.id)).toEqual([])
    expect((await store().events.list({ job_id: old.job.id })).items).toEqual([])
    expect(await store().logs.list(old.run.id, { after: 0, limit: 9 })).toEqual([])
    expect((await store().jobs.list({})).total).toBe(1)
    const log = await readLog(store())
    expect(log.filter(({ type }) => type !== 'kyros.retention')).toEqual(
      before.filter(({ job_id }) => job_id === young.job.id),
    )
    expect(await retain()).toMatchObject({ jobs: 0, runs: 0, archive: undefined, hasMore: false })
  })

  test('a job that was tried again and again is archived with all its runs', async () => {
    const old = await end(startMs)
    const ids = [old.run.id]
    for (let attempt = 2; attempt <= 203; attempt++) {
      const again = newRun(old.job, { attempt })
      const events = [runCreated(again), { ...completed(attempt, startMs), timeMs: startMs }]
      await store().write({ kind: 'retry_job', run: again, events })
      ids.push(again.id)
    }
    await submit(store())
    const retained = await retain()
    expect(retained).toMatchObject({ jobs: 1, runs: 203 })
    const lines = gunzipSync(readFileSync(retained.archive ?? ''))
      .toString()
      .trim()
      .split('\n')
    const archived = lines.flatMap((text) => {
      const { run } = JSON.parse(text)
      return run === undefined ? [] : [run.id]
    })
    expect(archived.toSorted()).toEqual(ids.toSorted())
  })

  test('what has not ended, or ended lately, or was tried again, stays', async () => {
    const open = await submit(store())
    await end(nowMs - dayMs)
    const tried = await end(startMs)
    const again = newRun(tried.job, { attempt: 2 })
    await store().write({ kind: 'retry_job', run: again, events: [runCreated(again)] })
    await submit(store())
    const before = await readLog(store())
    expect(await retain()).toMatchObject({ jobs: 0, runs: 0 })
    expect(await readLog(store())).toEqual(before)
    expect(await store().jobs.get(open.job.id)).toMatchObject({ status: 'pending' })
  })

  test('old jobs go some at a time, and numbers are never given twice', async () => {
    for (let index = 0; index < 5; index++) await end(startMs + index)
    const head = await store().events.head()
    const bites = [await retain(2), await retain(2), await retain(2)]
    expect(bites.map(({ jobs, hasMore }) => [jobs, hasMore])).toEqual([
      [2, true],
      [2, true],
      [0, false],
    ])
    expect(await store().events.head()).toBe(head + 2)
    const { run } = await submit(store())
    expect((await store().events.ofRun(run.id)).map(({ seq }) => seq)).toEqual([head + 4])
  })

  test('a deleted job leaves the journal as well once it is old', async () => {
    const old = await end(startMs)
    await store().write({ kind: 'delete_job', jobId: old.job.id, actor: 'user:ada', timeMs: startMs })
    await submit(store())
    expect(await store().events.ofRun(old.run.id)).toHaveLength(3)
    expect(await retain()).toMatchObject({ jobs: 0, runs: 1, archive: undefined })
    expect(await store().events.ofRun(old.run.id)).toEqual([])
    expect((await store().events.list({ job_id: old.job.id })).items).toEqual([])
  })

  test('a reader that resumes among what is gone is told so and goes on', async () => {
    await end(startMs)
    const young = await end(nowMs)
    await retain()
    const follow = async (options: Parameters<Store['events']['follow']>[0]) => {
      const stop = new AbortController()
      for await (const batch of store().events.follow(options, stop.signal)) {
        stop.abort()
        return batch
      }
      return undefined
    }
    const all: FollowBatch | undefined = await follow({ after: 2 })
    expect(all).toEqual({ reset: { from: 5 } })
    expect(await follow({ after: 6 })).toMatchObject({ events: [{ seq: 7 }, { seq: 8 }, { seq: 9 }] })
    expect(await follow({ after: 0, runId: young.run.id })).toMatchObject({ events: [{ seq: 6 }, {}, {}] })
  })

  test('blobs that nothing names any more are removed after their grace', async () => {
    const put = async (text: string) => (await store().blobs.put(Buffer.from(text))).sha256
    const [named, held, lost] = [await put('named'), await put('held'), await put('lost')]
    const { run } = await submit(store())
    const file = { runId: run.id, name: 'a', mediaType: 'text/plain', sha256: named, bytes: 5 }
    await store().write({ kind: 'put_artifact', ...file, createdMs: startMs })
    await append(store(), run.id, completed({ $blob: held, bytes: 4 }))
    await delay(20)
    const young = await put('young')
    expect(await store().retention.sweepBlobs({ graceMs: 60_000 })).toEqual({ removed: 0, bytes: 0 })
    await put('lost')
    await delay(20)
    const swept = await store().retention.sweepBlobs({ graceMs: 0 })
    expect(swept).toEqual({ removed: 2, bytes: 9 })
    for (const sha256 of [named, held]) expect(await store().blobs.get(sha256)).toBeDefined()
    for (const sha256 of [lost, young]) expect(await store().blobs.get(sha256)).toBeUndefined()
    expect(await put('lost')).toBe(lost)
    expect(await store().blobs.get(lost)).toBeDefined()
  })

  test('blobs that an unfinished run on a cluster may name are kept until it ends', async () => {
    const put = async (text: string) => (await store().blobs.put(Buffer.from(text))).sha256
    const before = await put('before')
    await delay(20)
    const { job } = submission({ createdMs: Date.now() })
    const run = newRun(job, { engine: 'temporal' })
    await store().write({ kind: 'submit_job', job, run, events: [runCreated(run)] })
    await submit(store(), { createdMs: startMs })
    // Ages are taken one after the other: what is as old as the run to a millisecond may be found older.
    await delay(20)
    const inHistory = await put('in the history')
    await delay(20)
    expect(await store().retention.sweepBlobs({ graceMs: 0 })).toEqual({ removed: 1, bytes: 6 })
    expect(await store().blobs.get(before)).toBeUndefined()
    expect(await store().blobs.get(inHistory)).toBeDefined()
    await append(store(), run.id, completed(null, Date.now()))
    expect(await store().retention.sweepBlobs({ graceMs: 0 })).toEqual({ removed: 1, bytes: 14 })
    expect(await store().blobs.get(inHistory)).toBeUndefined()
  })
}
