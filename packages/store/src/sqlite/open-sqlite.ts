import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createStore } from '../create-store.ts'
import { Notices } from '../notices.ts'
import type { Database } from '../reads/database.ts'
import { unavailable } from '../refusal.ts'
import { migrateUp } from '../schema.ts'
import type { OpenStore, Store } from '../store.ts'
import { decodeAll } from '../wire.ts'
import type { Apply } from '../write-queue.ts'
import { createBlobFiles, createBlobMemory } from './blob-files.ts'
import { checkFile } from './check-file.ts'
import { connectToRead } from './connect.ts'
import { type DataLock, directoryError, lockDirectory, prepareDirectory } from './data-directory.ts'
import { inTransaction } from './execute.ts'
import { kyselyOnSqlite, kyselyOnThread } from './kysely.ts'
import { ReaderThread } from './reader-client.ts'
import { outage } from './sqlite-error.ts'
import { WriterThread } from './thread-client.ts'
import { upgradeFile } from './upgrade-file.ts'
import { SqliteWriter } from './writer.ts'

type Log = NonNullable<OpenStore['log']>

/** Opens `<dir>/kyros.db`, makes it where there is none, and takes the directory for this process. */
export async function openSqlite({ dataDir, log = () => {} }: OpenStore): Promise<Store> {
  if (dataDir === ':memory:') return openMemory()
  const dir = resolve(dataDir)
  prepareDirectory(dir)
  const lock = lockDirectory(dir)
  const writer = new WriterThread()
  try {
    if (lock.wasLeft) checkFile(dir)
    upgradeFile(dir)
    return await assemble(dir, lock, writer, log)
  } catch (error) {
    await writer.close()
    lock.release(lock.wasLeft)
    throw directoryError(dir, error)
  }
}

async function assemble(dir: string, lock: DataLock, writer: WriterThread, log: Log): Promise<Store> {
  const file = join(dir, 'kyros.db')
  let breakDown = (_error: Error) => {}
  await writer.open(file, (error) => {
    log('error', `The writer of the database has stopped: ${String(error.cause)}`)
    breakDown(error)
  })
  const reading = connectToRead(file)
  const scanner = new ReaderThread(file)
  const opened = createStore({
    database: {
      ...databaseOn(reading, () => writer.current()),
      scanning: kyselyOnThread(scanner),
    },
    notices: new Notices(),
    blobs: createBlobFiles(join(dir, 'blobs')),
    apply: writer.apply,
    maxUnderWay: 2,
    async ping() {
      writer.check()
      await ping(reading)
    },
    async close() {
      await scanner.close()
      await writer.close()
      reading.close()
      lock.release()
    },
  })
  breakDown = opened.breakDown
  return opened.store
}

/** One connection for both, in this thread: nothing of it can be seen from another. */
function openMemory(): Store {
  const db = new DatabaseSync(':memory:')
  inTransaction(db, migrateUp('sqlite', Date.now()))
  const writer = new SqliteWriter(db)
  const apply: Apply = async (wire) => {
    const outcomes = writer.apply(decodeAll(wire))
    if (writer.lagsFar) writer.project()
    return outcomes
  }
  const opened = createStore({
    database: databaseOn(db, async () => writer.project()),
    notices: new Notices(),
    blobs: createBlobMemory(),
    apply,
    maxUnderWay: 1,
    ping: () => ping(db),
    async close() {
      writer.close()
    },
  })
  return opened.store
}

function databaseOn(db: DatabaseSync, current: Database['current']): Database {
  const explain = (error: unknown) =>
    db.isOpen ? (outage(error) ?? error) : unavailable('The store is closed.', error)
  const reads = kyselyOnSqlite(db)
  return { db: reads, scanning: reads, dialect: 'sqlite', explain, mayRepeat: () => false, current }
}

async function ping(db: DatabaseSync): Promise<void> {
  try {
    db.prepare('SELECT 1').get()
  } catch (error) {
    throw unavailable('The database file cannot be read.', error)
  }
}
