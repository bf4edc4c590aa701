import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { Migration } from '../migrations/migration.ts'
import { migrations } from '../migrations/migrations.ts'
import { DataDirectoryError } from '../open-error.ts'
import { migrateUp, readVersion } from '../schema.ts'
import { connectToWrite } from './connect.ts'
import { copyBeside } from './copy-beside.ts'
import { executeOn, inTransaction } from './execute.ts'

/**
 * Brings `<dir>/kyros.db` up to date, or makes it. One that holds something is copied beside first.
 * @throws DataDirectoryError when it belongs to a newer Kyros
 */
export function upgradeFile(dir: string, known = migrations): void {
  const newest = known.at(-1)?.version ?? 0
  const db = connectToWrite(join(dir, 'kyros.db'))
  try {
    const version = executeOn(db, readVersion('sqlite'))
    if (version > newest) throw newerError(dir, version, newest)
    if (version === newest) return
    const nowMs = Date.now()
    const copy = version > 0 ? copyBeside(db, dir, newest, nowMs) : undefined
    upgrade(db, known, nowMs, copy)
  } finally {
    db.close()
  }
}

/** One that fails has changed nothing, and a server that is started again and again must not fill the disk with copies. */
function upgrade(
  db: DatabaseSync,
  known: readonly Migration[],
  nowMs: number,
  copy: string | undefined,
): void {
  try {
    inTransaction(db, migrateUp('sqlite', nowMs, known))
  } catch (error) {
    if (copy !== undefined) rmSync(copy, { force: true })
    throw error
  }
}

function newerError(dir: string, version: number, newest: number): DataDirectoryError {
  const message = `The data in ${dir} belong to a newer Kyros (schema ${version}; this one knows ${newest}). Start that one, or choose another directory (--data).`
  return new DataDirectoryError('data_directory_newer_version', message)
}
