import { DatabaseSync } from 'node:sqlite'

/** How long a connection waits for another one's lock; only recovery after a crash takes any time. */
const busyTimeoutMs = 5_000

const cacheKilobytes = 16_000
/** In larger bites the log costs no less, and holds up the commit that meets one for longer. */
export const pagesPerCheckpoint = 1_000
const maxKeptLogBytes = 64_000_000

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
    db.exec(`PRAGMA cache_size = -${cacheKilobytes}`)
    // The log goes into the file this often, and begins anew when nobody reads from it; what a long reader made it grow
    // beyond that is given back.
    db.exec(`PRAGMA wal_autocheckpoint = ${pagesPerCheckpoint}`)
    db.exec(`PRAGMA journal_size_limit = ${maxKeptLogBytes}`)
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
