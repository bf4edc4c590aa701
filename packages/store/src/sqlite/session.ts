import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Session } from '../session.ts'
import type { Row, SqlValue } from '../statement.ts'
import { createBlobFiles, listBlobFiles } from './blob-files.ts'
import { connectToRead, connectToWrite } from './connect.ts'
import { copyBeside } from './copy-beside.ts'
import { directoryError, lockDirectory, prepareDirectory } from './data-directory.ts'
import { executeOn } from './execute.ts'
import { isDamaged } from './sqlite-error.ts'

const rowsAtOnce = 500

export function openSqliteSession(dataDir: string, mode: 'read' | 'write'): Session {
  const dir = resolve(dataDir)
  const file = join(dir, 'kyros.db')
  if (mode === 'write') prepareDirectory(dir)
  const lock = mode === 'write' ? lockDirectory(dir) : undefined
  try {
    const db = mode === 'write' ? connectToWrite(file) : openToRead(file)
    return { ...sessionOn(db, dir), ...{ close: async () => closeAll(db, lock) } }
  } catch (error) {
    lock?.release()
    throw directoryError(dir, error)
  }
}

/** A directory without a database reads like an empty one. */
function openToRead(file: string): DatabaseSync {
  return existsSync(file) ? connectToRead(file) : new DatabaseSync(':memory:')
}

function closeAll(db: DatabaseSync, lock: { release(): void } | undefined): void {
  db.close()
  lock?.release()
}

function sessionOn(db: DatabaseSync, dir: string): Omit<Session, 'close'> {
  return {
    dialect: 'sqlite',
    run: async (steps) => {
      try {
        return executeOn(db, steps)
      } catch (error) {
        // SQLite looks at a file only with the first statement.
        throw isDamaged(error) ? directoryError(dir, error) : error
      }
    },
    transaction: (work) => within(db, 'BEGIN IMMEDIATE', work),
    snapshot: (work) => within(db, 'BEGIN', work),
    rows: (table) => readRows(db, table),
    insert: async (table, rows) => insertRows(db, table, rows),
    // AUTOINCREMENT remembers the largest number by itself.
    continueNumbers: async () => {},
    blobs: { ...createBlobFiles(join(dir, 'blobs')), list: () => listBlobFiles(join(dir, 'blobs')) },
    copyBefore: async (version, nowMs) => copyBeside(db, dir, version, nowMs),
  }
}

async function within<R>(db: DatabaseSync, begin: string, work: () => Promise<R>): Promise<R> {
  db.exec(begin)
  try {
    const result = await work()
    db.exec('COMMIT')
    return result
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

async function* readRows(db: DatabaseSync, table: string): AsyncGenerator<readonly Row[]> {
  let rows: Row[] = []
  for (const row of db.prepare(`SELECT * FROM ${table}`).iterate()) {
    if (rows.push(row) < rowsAtOnce) continue
    yield rows
    rows = []
    await nextTurn()
  }
  if (rows.length > 0) yield rows
}

function insertRows(db: DatabaseSync, table: string, rows: readonly Row[]): void {
  const prepared = new Map<string, StatementSync>()
  for (const row of rows) {
    const columns = Object.keys(row)
    const key = columns.join()
    const statement =
      prepared.get(key) ?? db.prepare(`INSERT INTO ${table} (${key}) VALUES (${columns.map(() => '?')})`)
    prepared.set(key, statement)
    statement.run(...columns.map((column) => bindable(row[column])))
  }
}

function bindable(value: unknown): SqlValue {
  if (value === null || typeof value === 'number' || typeof value === 'string') return value
  throw new TypeError(`A backup holds no ${typeof value}`)
}
