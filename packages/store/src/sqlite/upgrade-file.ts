import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { migrations } from '../migrations/migrations.ts'
import { DataDirectoryError } from '../open-error.ts'
import { migrateUp, readVersion } from '../schema.ts'
import { connectToWrite } from './connect.ts'
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
    const copy = join(dir, `kyros-before-${newest}.db`)
    // A copy that is there was made before an upgrade that did not finish.
    if (version > 0 && !existsSync(copy)) db.prepare('VACUUM INTO ?').run(copy)
    inTransaction(db, migrateUp('sqlite', Date.now(), known))
  } finally {
    db.close()
  }
}

function newerError(dir: string, version: number, newest: number): DataDirectoryError {
  const message = `The data in ${dir} belong to a newer Kyros (schema ${version}; this one knows ${newest}). Start that one, or choose another directory (--data).`
  return new DataDirectoryError('data_directory_newer_version', message)
}
