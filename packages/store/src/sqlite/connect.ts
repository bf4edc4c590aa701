import { DatabaseSync } from 'node:sqlite'

/** How long a connection waits for another one's lock; only recovery after a crash takes any time. */
const busyTimeoutMs = 5_000

/** The connection that may write: every commit is synced before it is acknowledged. */
export function connectToWrite(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: busyTimeoutMs, enableForeignKeyConstraints: false })
  try {
    // Has an effect only before the first table.
    db.exec('PRAGMA auto_vacuum = INCREMENTAL')
    db.exec('PRAGMA journal_mode = WAL')
    db.exec('PRAGMA synchronous = FULL')
    // macOS lies about fsync without this; elsewhere it means nothing.
    db.exec('PRAGMA fullfsync = 1')
    db.exec('PRAGMA temp_store = MEMORY')
  } catch (error) {
    // A full or damaged disk shows here first; an open file would keep it from being unmounted.
    db.close()
    throw error
  }
  return db
}

export function connectToRead(file: string): DatabaseSync {
  return new DatabaseSync(file, { readOnly: true, timeout: busyTimeoutMs })
}
