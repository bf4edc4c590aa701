import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { migrate, migrationStatus, rollback } from '../migrate.ts'
import type { Migration } from '../migrations/migration.ts'
import { migrations, schemaVersion } from '../migrations/migrations.ts'
import { openStore } from '../open-store.ts'
import { append, completed, startMs, submit } from '../suite/rig.ts'
import { prepareDirectory } from './data-directory.ts'
import { upgradeFile } from './upgrade-file.ts'

let dataDir: string

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'kyros-open-'))
})
afterEach(() => {
  rmSync(dataDir, { recursive: true, force: true })
})

test('a path that cannot be a directory is named in the refusal', async () => {
  const file = join(dataDir, 'file')
  writeFileSync(file, '')
  for (const path of [file, join(file, 'below')]) {
    const refused = await openStore({ dataDir: path }).catch((error: unknown) => error)
    expect(refused).toMatchObject({ name: 'DataDirectoryError', code: 'data_directory_not_writable' })
    expect(String(refused)).toContain(path)
  }
})

test.skipIf(!existsSync('/proc/self'))(
  'a place that takes no directories is refused and not tried for ever',
  () => {
    const refused = () => prepareDirectory('/proc/kyros/data')
    expect(refused).toThrow(expect.objectContaining({ code: 'data_directory_not_writable' }))
  },
)

test('a file that is no database is not taken for one', async () => {
  writeFileSync(join(dataDir, 'kyros.db'), 'x'.repeat(5_000))
  await expect(openStore({ dataDir })).rejects.toMatchObject({ code: 'data_directory_damaged' })
  await expect(migrationStatus({ dataDir })).rejects.toMatchObject({ code: 'data_directory_damaged' })
})

test('an older database is copied beside before it is brought up to date', async () => {
  const store = await openStore({ dataDir })
  const { job } = await submit(store)
  await store.close()
  const next: Migration = {
    version: schemaVersion + 1,
    name: 'next',
    up: () => ['ALTER TABLE jobs RENAME COLUMN title TO heading'],
    down: () => [],
  }
  upgradeFile(dataDir, [...migrations, next])
  const select = (file: string, column: string) => {
    const db = new DatabaseSync(join(dataDir, file), { readOnly: true })
    const row = db.prepare(`SELECT id, ${column} AS title FROM jobs`).get()
    db.close()
    return row
  }
  const kept = { id: job.id, title: job.title }
  const [copy = 'none', ...others] = readdirSync(dataDir).filter((file) => file.startsWith('kyros-before-'))
  expect(others).toEqual([])
  expect(copy).toMatch(/^kyros-before-\d+-\d{8}T\d{9}Z\.db$/)
  expect(select(copy, 'title')).toEqual(kept)
  expect(select('kyros.db', 'heading')).toEqual(kept)
  await expect(openStore({ dataDir })).rejects.toMatchObject({ code: 'data_directory_newer_version' })
})

test('an upgrade that fails changes nothing and leaves no copy', async () => {
  await (await openStore({ dataDir })).close()
  const wrong: Migration = { version: 99, name: 'wrong', up: () => ['DROP TABLE none'], down: () => [] }
  expect(() => upgradeFile(dataDir, [...migrations, wrong])).toThrow('none')
  expect(readdirSync(dataDir).filter((file) => file.includes('before'))).toEqual([])
  await (await openStore({ dataDir })).close()
})

test('every copy before a change of the schema is a new one, and old ones stay as they were', async () => {
  const titles = (file: string) => {
    const db = new DatabaseSync(file, { readOnly: true })
    const rows = db.prepare('SELECT title FROM jobs ORDER BY title').all()
    db.close()
    return rows.map((row) => row.title)
  }
  const add = async (title: string) => {
    const store = await openStore({ dataDir })
    await submit(store, { title })
    await store.close()
  }
  await add('first')
  const one = (await rollback({ dataDir }, { nowMs: startMs })).copy ?? 'none'
  await migrate({ dataDir }, startMs)
  await add('second')
  const two = (await rollback({ dataDir }, { nowMs: startMs })).copy ?? 'none'
  const three = (await migrate({ dataDir }, startMs)).copy ?? 'none'
  expect(new Set([one, two, three]).size).toBe(3)
  expect([one, two, three].map(titles)).toEqual([['first'], ['first', 'second'], ['first', 'second']])
})

test('the file is in WAL mode, gives its room back, and syncs what it says is written', async () => {
  const store = await openStore({ dataDir })
  const { job, run } = await submit(store, { task: 'x'.repeat(500_000) })
  await append(store, run.id, completed('y'.repeat(500_000)))
  await store.write({ kind: 'delete_job', jobId: job.id, actor: 'user:ada', timeMs: 0 })
  const db = new DatabaseSync(join(dataDir, 'kyros.db'), { readOnly: true })
  expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
  expect(db.prepare('PRAGMA auto_vacuum').get()).toEqual({ auto_vacuum: 2 })
  expect(db.prepare('PRAGMA freelist_count').get()).toEqual({ freelist_count: 0 })
  db.close()
  await store.close()
})

test('a text that was garbled on the disk is an outage with advice, and not a mistake of ours', async () => {
  const store = await openStore({ dataDir })
  const { job, run } = await submit(store)
  await append(store, run.id, completed('what was garbled'))
  await store.close()
  const file = join(dataDir, 'kyros.db')
  const garbled = readFileSync(file, 'latin1').replaceAll('what was garbled', 'what "as\u0001garbled')
  writeFileSync(file, garbled, 'latin1')
  const again = await openStore({ dataDir })
  const refused = { code: 'store_unavailable', message: expect.stringContaining('kyros db restore') }
  await expect(again.jobs.get(job.id)).rejects.toMatchObject(refused)
  await expect(again.events.ofRun(run.id)).rejects.toMatchObject(refused)
  await again.close()
})

test('a page of jobs is read from an index and not sorted', async () => {
  const store = await openStore({ dataDir })
  const db = new DatabaseSync(join(dataDir, 'kyros.db'), { readOnly: true })
  const plan = (sql: string) =>
    db
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map((row) => String(row.detail))
      .join('; ')
  const jobs = `SELECT * FROM jobs JOIN runs ON runs.ref = jobs.run_ref`
  expect(plan(`${jobs} ORDER BY jobs.id DESC LIMIT 51`)).not.toContain('TEMP B-TREE')
  expect(plan(`${jobs} WHERE jobs.id < 'a' ORDER BY jobs.id DESC LIMIT 51`)).toMatch(
    /SEARCH jobs USING INDEX/,
  )
  const runs = 'SELECT * FROM runs JOIN jobs ON jobs.id = runs.job_id'
  expect(plan(`${runs} ORDER BY runs.id DESC LIMIT 51`)).not.toContain('TEMP B-TREE')
  const ofJob = `runs.ref = (SELECT run_ref FROM jobs WHERE id = 'a') OR runs.job_id = 'a' AND runs.latest = 0`
  expect(plan(`${runs} WHERE (${ofJob}) ORDER BY runs.id DESC LIMIT 51`)).toMatch(/runs_superseded/)
  const unfinished = (engine: string) =>
    `runs.status IN ('pending', 'running', 'waiting') AND runs.definition <> '' AND runs.engine = '${engine}'`
  expect(
    plan(`SELECT * FROM events WHERE type = 'x' AND run IS NULL AND seq > 0 ORDER BY seq LIMIT 9`),
  ).toContain('events_type')
  expect(plan('SELECT id FROM sessions WHERE expires_ms <= 1 ORDER BY expires_ms LIMIT 9')).toContain(
    'sessions_expires',
  )
  for (const [engine, index] of [
    ['embedded', 'runs_unfinished'],
    ['temporal', 'runs_unfinished_temporal'],
  ] as const) {
    const where = `${unfinished(engine)} AND runs.id > 'a'`
    expect(plan(`${runs} WHERE ${where} ORDER BY runs.id LIMIT 9`)).toContain(`INDEX ${index} (id>`)
    const count = `SELECT definition, COUNT(*) FROM runs WHERE ${unfinished(engine)} GROUP BY definition`
    expect(plan(count)).toContain(`INDEX ${index}`)
  }
  expect(plan(`SELECT id FROM inbox WHERE engine = 'x' AND id > 7 ORDER BY id LIMIT 9`)).toMatch(
    /^SEARCH inbox USING COVERING INDEX inbox_engine \(engine=\? AND rowid>\?\)$/,
  )
  db.close()
  await store.close()
})
