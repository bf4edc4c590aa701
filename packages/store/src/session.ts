import type { Dialect, Row, Steps } from './statement.ts'
import type { OpenStore, Store } from './store.ts'

/** Which database is meant; `dataDir` also holds the blobs of SQLite. */
export type DatabaseTarget = Pick<OpenStore, 'dataDir' | 'databaseUrl'>

/** A direct connection for what is done to a database as a whole: migrations, backup and restore. */
export type Session = {
  readonly dialect: Dialect
  run<R>(steps: Steps<R>): Promise<R>
  /** All of it or nothing, changes of the schema too. */
  transaction<R>(work: () => Promise<R>): Promise<R>
  /** One moment of the whole database, for as long as `work` takes; others go on writing. */
  snapshot<R>(work: () => Promise<R>): Promise<R>
  /** Every row of a table, some at a time. */
  rows(table: string): AsyncIterable<readonly Row[]>
  insert(table: string, rows: readonly Row[]): Promise<void>
  /** Lets numbering go on after rows were inserted with their numbers. */
  continueNumbers(table: string, column: string): Promise<void>
  readonly blobs: Store['blobs'] & { list(): AsyncIterable<string> }
  /** A copy beside the database before its schema changes; returns where, or nothing where that is not ours to do. */
  copyBefore(version: number, nowMs: number): Promise<string | undefined>
  close(): Promise<void>
}

/**
 * Opens a session; `write` takes the data directory, so no server may run on it.
 * @throws DataDirectoryError, DatabaseError
 */
export async function openSession(target: DatabaseTarget, mode: 'read' | 'write'): Promise<Session> {
  if (target.databaseUrl !== undefined) {
    const { openPostgresSession } = await import('./postgres/session.ts')
    return openPostgresSession(target.databaseUrl)
  }
  const { openSqliteSession } = await import('./sqlite/session.ts')
  return openSqliteSession(target.dataDir, mode)
}
