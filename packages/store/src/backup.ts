import { createHash } from 'node:crypto'
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { BackupError, type Manifest, manifestFile, tableFile } from './backup-format.ts'
import { schemaVersion } from './migrations/migrations.ts'
import { tableNames } from './migrations/table-names.ts'
import { readTables, readVersion } from './schema.ts'
import { type DatabaseTarget, openSession, type Session } from './session.ts'
import { createBlobFiles } from './sqlite/blob-files.ts'
import { ask, int } from './statement.ts'

/**
 * Copies the database as of one moment, and then the blobs, into a new directory; a server may run meanwhile.
 * The same form for both databases, so a backup of one restores into the other.
 * @throws BackupError, DataDirectoryError, DatabaseError
 */
export async function backup(source: DatabaseTarget, to: string, nowMs: number): Promise<Manifest> {
  const target = resolve(to)
  await refuseExisting(target)
  const partial = `${target}.partial`
  await rm(partial, { recursive: true, force: true })
  await mkdir(join(partial, 'tables'), { recursive: true, mode: 0o700 })
  const session = await openSession(source, 'read')
  try {
    const version = await session.run(readVersion(session.dialect))
    if (version === 0) throw new BackupError('backup_source_empty', 'There is no database to back up yet.')
    refuseNewer(version)
    const content = await session.snapshot(() => copyTables(session, version, partial))
    // Blobs come after the rows that name them: what a row of the snapshot names was stored before it.
    const blobs = await session.snapshot(() => copyBlobs(session, join(partial, 'blobs')))
    const created_at = new Date(nowMs).toISOString()
    const manifest: Manifest = { format: 1, created_at, schema_version: version, ...content, blobs }
    await writeManifest(partial, manifest)
    await rename(partial, target)
    return manifest
  } catch (error) {
    await rm(partial, { recursive: true, force: true })
    throw error
  } finally {
    await session.close()
  }
}

async function refuseExisting(target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true })
  const found = await readdir(target).catch(() => undefined)
  if (found === undefined || found.length === 0) return
  throw new BackupError(
    'backup_target_exists',
    `${target} is not empty. Choose a new directory for the backup.`,
  )
}

/** Its tables are not known here: a backup would leave some out and say nothing. */
function refuseNewer(version: number): void {
  if (version <= schemaVersion) return
  throw new BackupError(
    'backup_newer_version',
    'The database belongs to a newer Kyros; back up with that one.',
  )
}

async function copyTables(
  session: Session,
  version: number,
  dir: string,
): Promise<Pick<Manifest, 'head_seq' | 'tables'>> {
  const tables: Manifest['tables'] = {}
  // An older database lacks the newest tables; in one of this version a missing table is damage.
  const found = version < schemaVersion ? await session.run(readTables(session.dialect)) : undefined
  const names = tableNames.filter((table) => found === undefined || found.has(table))
  for (const table of names) tables[table] = await copyTable(session, table, tableFile(dir, table))
  const [head] = await session.run(ask('SELECT COALESCE(MAX(seq), 0) AS seq FROM events'))
  return { head_seq: head ? int(head, 'seq') : 0, tables }
}

async function copyTable(session: Session, table: string, path: string) {
  const hash = createHash('sha256')
  let count = 0
  const file = await open(path, 'wx', 0o600)
  try {
    for await (const rows of session.rows(table)) {
      const lines = `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`
      hash.update(lines)
      await file.write(lines)
      count += rows.length
    }
    await file.datasync()
  } finally {
    await file.close()
  }
  return { rows: count, sha256: hash.digest('hex') }
}

async function copyBlobs(session: Session, dir: string): Promise<number> {
  const target = createBlobFiles(dir)
  let count = 0
  for await (const sha256 of session.blobs.list()) {
    const data = await session.blobs.get(sha256)
    if (!data) continue
    await target.put(data)
    count++
  }
  return count
}

async function writeManifest(dir: string, manifest: Manifest): Promise<void> {
  const file = await open(manifestFile(dir), 'wx', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(manifest, null, 2)}\n`)
    await file.datasync()
  } finally {
    await file.close()
  }
}
