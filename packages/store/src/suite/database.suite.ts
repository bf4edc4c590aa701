import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { backup } from '../backup.ts'
import { migrate, migrationStatus, reset, rollback } from '../migrate.ts'
import { schemaVersion } from '../migrations/migrations.ts'
import { tableNames } from '../migrations/table-names.ts'
import { openStore } from '../open-store.ts'
import { restore } from '../restore.ts'
import { type DatabaseTarget, openSession } from '../session.ts'
import { ask, text } from '../statement.ts'
import type { Store } from '../store.ts'
import { testHistory } from './history.suite.ts'
import { append, completed, keyed, newId, readLog, started, startMs, submission, submit } from './rig.ts'

export type DatabaseCase = {
  name: string
  /** Names an empty database. */
  create(): Promise<DatabaseTarget>
  remove(target: DatabaseTarget): Promise<void>
}

const blob = Buffer.from('a report')

/** What is done to a database as a whole: migrations, backup and restore. */
export function testDatabase({ name, create, remove }: DatabaseCase): void {
  describe(name, () => {
    let target: DatabaseTarget
    let other: DatabaseTarget
    let dir: string
    beforeEach(async () => {
      target = await create()
      other = await create()
      dir = await mkdtemp(join(tmpdir(), 'kyros-backup-'))
    })
    afterEach(async () => {
      await remove(target)
      await remove(other)
      await rm(dir, { recursive: true })
    })

    testMigrations(() => target)
    testBackups(() => ({ target, other, dir }))
    testHistory(() => target)
  })
}

function testMigrations(target: () => DatabaseTarget): void {
  test('migrations go up, down and up again', async () => {
    const all = [
      '0001-foundation',
      '0002-views',
      '0003-bounds',
      '0004-packed-journal',
      '0005-streams',
      '0006-retention',
      '0007-engines',
    ]
    const status = (appliedMs: number | null) => [
      { version: 1, name: 'foundation', appliedMs },
      { version: 2, name: 'views', appliedMs },
      { version: 3, name: 'bounds', appliedMs },
      { version: 4, name: 'packed-journal', appliedMs },
      { version: 5, name: 'streams', appliedMs },
      { version: 6, name: 'retention', appliedMs },
      { version: 7, name: 'engines', appliedMs },
    ]
    expect(await migrationStatus(target())).toEqual(status(null))
    expect((await migrate(target(), startMs)).names).toEqual(all)
    expect(await migrationStatus(target())).toEqual(status(startMs))
    expect((await migrate(target(), startMs)).names).toEqual([])
    expect((await rollback(target(), { nowMs: startMs })).names).toEqual(['0007-engines'])
    expect((await rollback(target(), { nowMs: startMs })).names).toEqual(['0006-retention'])
    expect((await rollback(target(), { nowMs: startMs })).names).toEqual(['0005-streams'])
    expect((await rollback(target(), { nowMs: startMs })).names).toEqual(['0004-packed-journal'])
    expect((await rollback(target(), { nowMs: startMs })).names).toEqual(['0003-bounds'])
    expect((await rollback(target(), { nowMs: startMs })).names).toEqual(['0002-views'])
    expect((await rollback(target(), { nowMs: startMs })).names).toEqual(['0001-foundation'])
    expect(await listTables(target())).toEqual(['schema_migrations'])
    expect((await rollback(target(), { nowMs: startMs })).names).toEqual([])
    expect((await migrate(target(), startMs)).names).toEqual(all)
    const store = await openStore(target())
    await submit(store)
    await store.close()
  })

  test('a backup names every table', async () => {
    await migrate(target(), startMs)
    const unsaved = ['schema_migrations', 'blobs']
    const tables = (await listTables(target())).filter((table) => !unsaved.includes(table))
    expect(tables).toEqual([...tableNames].toSorted())
  })

  test('a reset empties the database, and never one in production', async () => {
    const store = await openStore(target())
    await submit(store)
    await store.close()
    await expect(reset(target(), { nowMs: startMs, isProduction: true })).rejects.toMatchObject({
      ...{ name: 'DatabaseError', code: 'database_protected' },
    })
    await reset(target(), { nowMs: startMs, isProduction: false })
    const empty = await openStore(target())
    expect(await empty.events.head()).toBe(0)
    await empty.close()
  })

  test('no token that was good before a reset is good after it', async () => {
    const epoch = async () => {
      const store = await openStore(target())
      const value = await store.sessions.revocationEpoch()
      await store.close()
      return value
    }
    const seen = [await epoch()]
    await reset(target(), { nowMs: startMs, isProduction: false })
    seen.push(await epoch())
    await reset(target(), { nowMs: startMs, isProduction: false })
    seen.push(await epoch())
    await rollback(target(), { nowMs: startMs, count: 1000 })
    await migrate(target(), startMs + 60_000)
    seen.push(await epoch())
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    expect(new Set(seen).size).toBe(4)
    const store = await openStore(target())
    const user = { id: newId(), email: 'a@example.org', passwordHash: 'h', role: 'admin' } as const
    await store.write({ kind: 'create_user', user: { ...user, createdMs: startMs }, actor: 'setup' })
    const key = { id: newId(), userId: user.id, name: 'ci', prefix: 'p', hash: 'h', role: 'admin' } as const
    const apiKey = { ...key, createdMs: startMs, expiresMs: null }
    await store.write({ kind: 'create_api_key', apiKey, actor: user.id })
    await store.write({ kind: 'revoke_api_key', id: key.id, actor: user.id, timeMs: startMs })
    expect(await store.sessions.revocationEpoch()).toBe((seen.at(-1) ?? 0) + 1)
    await store.close()
  })

  test('a database of a newer Kyros is not touched', async () => {
    await migrate(target(), startMs)
    await claimNewer(target())
    await expect(openStore(target())).rejects.toMatchObject({
      message: expect.stringContaining('schema 999'),
    })
    const refused = { code: 'database_newer_version' }
    await expect(migrate(target(), startMs)).rejects.toMatchObject(refused)
    await expect(rollback(target(), { nowMs: startMs })).rejects.toMatchObject(refused)
    await expect(reset(target(), { nowMs: startMs, isProduction: false })).rejects.toMatchObject(refused)
    const place = join(tmpdir(), `kyros-backup-${newId()}`)
    await expect(backup(target(), place, startMs)).rejects.toMatchObject({ code: 'backup_newer_version' })
    expect(await migrationStatus(target())).toMatchObject([
      { version: 1 },
      { version: 2 },
      { version: 3 },
      { version: 4 },
      { version: 5 },
      { version: 6 },
      { version: 7 },
      { version: 999, name: 'newer' },
    ])
  })
}

type Places = { target: DatabaseTarget; other: DatabaseTarget; dir: string }

function testBackups(places: () => Places): void {
  test('a restored backup holds the same log, projections, keys and blobs, and numbering goes on', async () => {
    const { target, other, dir } = places()
    const store = await openStore(target)
    const { run } = await fill(store)
    // The store goes on serving and writing.
    const [manifest] = await Promise.all([backup(target, join(dir, 'b'), startMs), submit(store)])
    expect(manifest).toMatchObject({
      format: 1,
      schema_version: schemaVersion,
      blobs: 1,
      head_seq: expect.any(Number),
    })
    const before = (await readLog(store)).slice(0, manifest.head_seq)
    const runBefore = await store.runs.get(run.id)
    await store.close()
    await restore(other, join(dir, 'b'), { nowMs: startMs })
    const restored = await openStore(other)
    expect(await readLog(restored)).toEqual(before)
    expect(await restored.runs.get(run.id)).toEqual(runBefore)
    const { sha256 } = await restored.blobs.put(blob)
    expect(Buffer.from((await restored.blobs.get(sha256)) ?? [])).toEqual(blob)
    expect(await restored.write(submission({}, keyed('k', 'same')))).toHaveProperty('replayed')
    await submit(restored)
    await restored.write({ kind: 'put_inbox', message: { type: 'accept', runId: run.id }, timeMs: startMs })
    expect(await restored.inbox.list(0, 10)).toHaveLength(2)
    const onTemporal = (await restored.runs.list({ engine: 'temporal' })).items.map(({ id }) => id)
    expect(onTemporal).toHaveLength(1)
    expect(await restored.inbox.list(0, 10, 'temporal')).toMatchObject([
      { message: { runId: onTemporal[0] } },
    ])
    expect(await restored.events.head()).toBe(manifest.head_seq + 2)
    await restored.close()
  })

  test('a database of any older version is backed up, and restored into this one', async () => {
    const { target, other, dir } = places()
    const store = await openStore(target)
    const { job } = await submit(store)
    await store.close()
    for (let version = schemaVersion - 1; version > 0; version--) {
      await rollback(target, { nowMs: startMs })
      const path = join(dir, `of-${version}`)
      expect(await backup(target, path, startMs)).toMatchObject({ schema_version: version })
      await restore(other, path, { nowMs: startMs, force: true })
      const restored = await openStore(other)
      expect((await restored.jobs.list({})).items.map(({ id }) => id)).toEqual([job.id])
      await restored.close()
    }
  })

  test('a restore replaces what is there only when it is told to', async () => {
    const { target, other, dir } = places()
    for (const place of [target, other]) {
      const store = await openStore(place)
      await submit(store, { title: place === target ? 'kept' : 'replaced' })
      await store.close()
    }
    await backup(target, join(dir, 'b'), startMs)
    await expect(restore(other, join(dir, 'b'), { nowMs: startMs })).rejects.toMatchObject({
      code: 'database_not_empty',
    })
    await restore(other, join(dir, 'b'), { nowMs: startMs, force: true })
    const store = await openStore(other)
    expect((await store.jobs.list({})).items.map((job) => job.title)).toEqual(['kept'])
    await store.close()
  })

  test('a damaged backup changes nothing', async () => {
    const { target, other, dir } = places()
    const store = await openStore(target)
    await fill(store)
    await store.close()
    const path = join(dir, 'b')
    await backup(target, path, startMs)
    const events = join(path, 'tables', 'events.ndjson')
    const whole = await readFile(events, 'utf8')
    await writeFile(events, whole.replace('tick', 'tock'))
    const attempt = () => restore(other, path, { nowMs: startMs })
    await expect(attempt()).rejects.toMatchObject({ code: 'backup_damaged' })
    await rm(events)
    await expect(attempt()).rejects.toMatchObject({ code: 'backup_damaged' })
    expect((await migrationStatus(other))[0]?.appliedMs).toBeNull()
    await writeFile(events, whole)
    await changeManifest(path, (text) => text.replace(/"rows": \d+/, '"rows": 77'))
    await expect(attempt()).rejects.toMatchObject({ code: 'backup_damaged' })
    expect((await migrationStatus(other))[0]?.appliedMs).toBeNull()
  })

  testRefusals(places)
}

function testRefusals(places: () => Places): void {
  test('what is no backup of ours is refused', async () => {
    const { target, other, dir } = places()
    const attempt = (from: string) => restore(other, from, { nowMs: startMs })
    await expect(attempt(dir)).rejects.toMatchObject({ code: 'backup_not_found' })
    await expect(backup(target, join(dir, 'b'), startMs)).rejects.toMatchObject({
      code: 'backup_source_empty',
    })
    await migrate(target, startMs)
    const path = join(dir, 'b')
    await backup(target, path, startMs)
    await expect(backup(target, path, startMs)).rejects.toMatchObject({ code: 'backup_target_exists' })
    const manifest = await readFile(join(path, 'manifest.json'), 'utf8')
    const changes = {
      backup_newer_version: manifest.replace(`"schema_version": ${schemaVersion}`, '"schema_version": 999'),
      backup_damaged: manifest.replace('"events"', '"sqlite_schema"'),
    }
    for (const [code, text] of Object.entries(changes)) {
      await writeFile(join(path, 'manifest.json'), text)
      await expect(attempt(path)).rejects.toMatchObject({ code })
    }
    for (const text of ['{', '{}']) {
      await writeFile(join(path, 'manifest.json'), text)
      await expect(attempt(path)).rejects.toMatchObject({ code: 'backup_damaged' })
    }
  })
}

async function fill(store: Store) {
  const made = await submit(store, { title: 'Zeile\u2028trenner "quoted" \\ ünïcode' })
  await store.write(submission({}, keyed('k', 'same')))
  await append(store, made.run.id, started, completed({ score: 1.5 }))
  await store.write({
    kind: 'append_log_lines',
    runId: made.run.id,
    lines: [{ timeMs: startMs, level: 'warn', step: null, attempt: null, message: 'line' }],
  })
  const user = {
    id: newId(),
    email: 'a@example.org',
    passwordHash: 'h',
    role: 'admin',
    createdMs: startMs,
  } as const
  await store.write({ kind: 'create_user', user, actor: 'setup' })
  await store.write({
    kind: 'append_event',
    event: { type: 'tick', subject: 'clock', timeMs: startMs, data: {} },
  })
  await store.write({ kind: 'put_inbox', message: { type: 'accept', runId: made.run.id }, timeMs: startMs })
  const other = submission()
  await store.write({ ...other, run: { ...other.run, engine: 'temporal' }, announce: true })
  await store.blobs.put(blob)
  return made
}

async function changeManifest(path: string, change: (text: string) => string): Promise<void> {
  const file = join(path, 'manifest.json')
  await writeFile(file, change(await readFile(file, 'utf8')))
}

async function listTables(target: DatabaseTarget): Promise<string[]> {
  const session = await openSession(target, 'read')
  const sql =
    session.dialect === 'sqlite'
      ? `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'`
      : 'SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()'
  const rows = await session.run(ask(sql))
  await session.close()
  return rows.map((row) => text(row, 'name')).toSorted()
}

async function claimNewer(target: DatabaseTarget): Promise<void> {
  const session = await openSession(target, 'write')
  await session.run(ask(`INSERT INTO schema_migrations (version, name, applied_ms) VALUES (999, 'newer', 0)`))
  await session.close()
}
