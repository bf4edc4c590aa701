import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Command } from '../command.ts'
import { createStore } from '../create-store.ts'
import { schemaVersion } from '../migrations/migrations.ts'
import { Notices } from '../notices.ts'
import { DataDirectoryError } from '../open-error.ts'
import { unavailable } from '../outcome.ts'
import type { Database } from '../reads/database.ts'
import { migrateUp, readVersion } from '../schema.ts'
import type { OpenStore, Store } from '../store.ts'
import type { Apply } from '../write-queue.ts'
import { createBlobFiles, createBlobMemory } from './blob-files.ts'
import { connectToRead, connectToWrite } from './connect.ts'
import { directoryError, lockDirectory, prepareDirectory } from './data-directory.ts'
import { executeOn, inTransaction } from './execute.ts'
import { kyselyOnSqlite } from './kysely.ts'
import { outage } from './sqlite-error.ts'
import { startWriterThread } from './thread-client.ts'
import { SqliteWriter } from './writer.ts'

/** Opens `<dir>/kyros.db`, makes it where there is none, and takes the directory for this process. */
export async function openSqlite({ dataDir, log }: OpenStore): Promise<Store> {
  if (dataDir === ':memory:') return openMemory()
  const dir = resolve(dataDir)
  prepareDirectory(dir)
  const lock = lockDirectory(dir)
  const file = join(dir, 'kyros.db')
  try {
    await upgrade(dir, file)
    const reading = connectToRead(file)
    const notices = new Notices()
    let breakDown = (_error: Error) => {}
    const writer = await startWriterThread(file, (error) => {
      log?.('error', `The writer of the database has stopped: ${String(error.cause)}`)
      breakDown(error)
    })
    const opened = createStore({
      database: databaseOn(reading),
      notices,
      blobs: createBlobFiles(join(dir, 'blobs')),
      apply: writer.apply,
      ping: () => ping(reading),
      async close() {
        await writer.close()
        reading.close()
        lock.release()
      },
    })
    breakDown = opened.breakDown
    return opened.store
  } catch (error) {
    lock.release()
    throw directoryError(dir, error)
  }
}

/** One connection for both, in this thread: nothing of it can be seen from another. */
function openMemory(): Store {
  const db = new DatabaseSync(':memory:')
  inTransaction(db, migrateUp('sqlite', Date.now()))
  const writer = new SqliteWriter(db)
  const apply: Apply = async (commands) => writer.apply(commands.map((text): Command => JSON.parse(text)))
  const opened = createStore({
    database: databaseOn(db),
    notices: new Notices(),
    blobs: createBlobMemory(),
    apply,
    ping: () => ping(db),
    async close() {
      writer.close()
    },
  })
  return opened.store
}

/** Migrates; a database that holds something is copied beside first. @throws DataDirectoryError newer version */
async function upgrade(dir: string, file: string): Promise<void> {
  const isNew = !existsSync(file)
  const db = connectToWrite(file)
  try {
    const version = executeOn(db, readVersion('sqlite'))
    if (version > schemaVersion) throw newerError(dir, version)
    if (version === schemaVersion) return
    if (!isNew && version > 0) db.prepare('VACUUM INTO ?').run(join(dir, `kyros-before-${schemaVersion}.db`))
    inTransaction(db, migrateUp('sqlite', Date.now()))
  } finally {
    db.close()
  }
}

function newerError(dir: string, version: number): DataDirectoryError {
  const message = `The data in ${dir} belong to a newer Kyros (schema ${version}; this one knows ${schemaVersion}). Start that one, or choose another directory (--data).`
  return new DataDirectoryError('data_directory_newer_version', message)
}

function databaseOn(db: DatabaseSync): Database {
  const explain = (error: unknown) =>
    db.isOpen ? (outage(error) ?? error) : unavailable('The store is closed.', error)
  return { db: kyselyOnSqlite(db), dialect: 'sqlite', explain }
}

async function ping(db: DatabaseSync): Promise<void> {
  try {
    db.prepare('SELECT 1').get()
  } catch (error) {
    throw unavailable('The database file cannot be read.', error)
  }
}
