import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { BackupError, type Manifest, manifestFile, tableFile } from './backup-format.ts'
import { hashOf, isHash } from './blob-hash.ts'
import { healAll } from './heal.ts'
import { type Destroying, destroying } from './live-servers.ts'
import { migrations, schemaVersion } from './migrations/migrations.ts'
import { numberedTables, tableNames } from './migrations/table-names.ts'
import { migrateDown, migrateUp, readVersion } from './schema.ts'
import { type DatabaseTarget, openSession, type Session } from './session.ts'
import { ask, type Row } from './statement.ts'

const rowsAtOnce = 500

/**
 * Fills the database from a backup, in one transaction: either all of it is there or nothing has changed.
 * @throws BackupError, DataDirectoryError, DatabaseError
 */
export async function restore(
  target: DatabaseTarget,
  from: string,
  options: Destroying & { force?: boolean },
): Promise<Manifest> {
  const dir = resolve(from)
  const manifest = await readManifest(dir)
  for (const [table, { sha256 }] of Object.entries(manifest.tables)) {
    if ((await hashFile(tableFile(dir, table))) !== sha256) throw damaged(`its table ${table} has changed`)
  }
  const session = await openSession(target, 'write')
  try {
    await refuseFull(session, options.force === true)
    // Blobs first: a row must never name one that is not there.
    await restoreBlobs(session, join(dir, 'blobs'), options, () =>
      loadTables(session, dir, manifest, options.nowMs),
    )
    return manifest
  } finally {
    await session.close()
  }
}

async function refuseFull(session: Session, force: boolean): Promise<void> {
  const version = await session.run(readVersion(session.dialect))
  if (version > schemaVersion) {
    throw new BackupError(
      'backup_newer_version',
      'The database belongs to a newer Kyros; restore with that one.',
    )
  }
  if (version === 0 || force) return
  const [found] = await session.run(ask('SELECT seq FROM events LIMIT 1'))
  if (!found) return
  const message =
    'The database is not empty. Restore into an empty one, or add --force to replace what it holds.'
  throw new BackupError('database_not_empty', message)
}

async function restoreBlobs(
  session: Session,
  dir: string,
  options: Destroying,
  load: () => Promise<void>,
): Promise<void> {
  // On SQLite blobs are files; on PostgreSQL they are a table that the schema makes.
  if (session.dialect === 'sqlite') await putBlobs(session, dir)
  await destroying(session, options, async () => {
    await load()
    if (session.dialect === 'postgres') await putBlobs(session, dir)
  })
}

async function loadTables(session: Session, dir: string, manifest: Manifest, nowMs: number): Promise<void> {
  const { dialect } = session
  await session.run(migrateDown(dialect, migrations.length))
  const asOfBackup = migrations.filter(({ version }) => version <= manifest.schema_version)
  await session.run(migrateUp(dialect, nowMs, asOfBackup))
  for (const [table, { rows }] of Object.entries(manifest.tables)) {
    await session.run(ask(`DELETE FROM ${table}`))
    let count = 0
    for await (const some of readTable(tableFile(dir, table))) {
      await session.insert(table, some)
      count += some.length
    }
    if (count !== rows) throw damaged(`its table ${table} has ${count} rows instead of ${rows}`)
  }
  for (const { table, column } of numberedTables) await session.continueNumbers(table, column)
  await session.run(migrateUp(dialect, nowMs))
  await session.run(healAll(dialect))
}

async function putBlobs(session: Session, dir: string): Promise<void> {
  if (!existsSync(dir)) return
  for (const folder of await readdir(dir)) {
    for (const name of (await readdir(join(dir, folder))).filter(isHash)) {
      const data = await readFile(join(dir, folder, name))
      if (hashOf(data) !== name) throw damaged(`its blob ${name} has changed`)
      await session.blobs.put(data)
    }
  }
}

async function readManifest(dir: string): Promise<Manifest> {
  if (!existsSync(manifestFile(dir))) {
    throw new BackupError('backup_not_found', `There is no backup in ${dir}: it has no manifest.json.`)
  }
  const manifest = parseManifest(await readFile(manifestFile(dir), 'utf8'))
  if (manifest.format !== 1 || manifest.schema_version > schemaVersion) {
    throw new BackupError(
      'backup_newer_version',
      `The backup in ${dir} was made by a newer Kyros; restore with that one.`,
    )
  }
  const known = new Set<string>(tableNames)
  // The names go into SQL: only tables of ours are taken from a file.
  if (Object.keys(manifest.tables).some((table) => !known.has(table)))
    throw damaged('it names unknown tables')
  return manifest
}

function parseManifest(text: string): Manifest {
  try {
    const manifest: Manifest = JSON.parse(text)
    if (typeof manifest.schema_version === 'number' && typeof manifest.tables === 'object') return manifest
  } catch (error) {
    throw damaged('its manifest cannot be read', error)
  }
  throw damaged('its manifest says too little')
}

async function* readTable(path: string): AsyncGenerator<Row[]> {
  let rows: Row[] = []
  for await (const line of readLines(path)) {
    const row: Row = JSON.parse(line)
    if (Object.keys(row).some((column) => !/^[a-z][a-z0-9_]*$/.test(column)))
      throw damaged('it names odd columns')
    if (rows.push(row) < rowsAtOnce) continue
    yield rows
    rows = []
  }
  if (rows.length > 0) yield rows
}

/** Lines end with LF and nothing else; node:readline would also cut a text at U+2028. */
async function* readLines(path: string): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of createReadStream(path, 'utf8')) {
    const lines = `${rest}${chunk}`.split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk)
  } catch (error) {
    throw damaged('a table is missing', error)
  }
  return hash.digest('hex')
}

function damaged(what: string, cause?: unknown): BackupError {
  return new BackupError('backup_damaged', `The backup is damaged: ${what}. Use another one.`, { cause })
}
