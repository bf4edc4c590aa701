import type { DatabaseSync } from 'node:sqlite'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  SqliteAdapter,
  SqliteDialect,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import type { Tables } from '../tables.ts'
import { bindable, prepareReads } from './prepared-reads.ts'
import type { ReaderThread } from './reader-client.ts'

/** Kysely on node:sqlite: its SQLite dialect asks for better-sqlite3's form of a statement. */
export function kyselyOnSqlite(db: DatabaseSync): Kysely<Tables> {
  const prepare = prepareReads(db)
  return new Kysely<Tables>({
    dialect: new ReadingDialect({
      database: {
        close: () => {},
        prepare(sql) {
          const statement = prepare(sql)
          return {
            reader: true,
            all: (parameters) => statement.all(...parameters.map(bindable)),
            run: () => ({ changes: 0, lastInsertRowid: 0 }),
            iterate: (parameters) => statement.iterate(...parameters.map(bindable)),
          }
        },
      },
    }),
  })
}

/** The same queries, worked on in another thread. */
export function kyselyOnThread(thread: ReaderThread): Kysely<Tables> {
  const dialect: Dialect = {
    createDriver: () => new ThreadDriver(thread),
    createAdapter: () => new ReadingAdapter(),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  }
  return new Kysely<Tables>({ dialect })
}

/**
 * Kysely lets one query at a time have the one connection, and wakes everybody who waits whenever it is free: of many
 * thousand reads at once, each would wake all others. These reads are synchronous and open no transaction.
 */
class ReadingDialect extends SqliteDialect {
  override createAdapter() {
    return new ReadingAdapter()
  }
}

class ReadingAdapter extends SqliteAdapter {
  override get supportsMultipleConnections() {
    return true
  }
}

const refuseTransactions = () => Promise.reject(new Error('Reads open no transaction'))

class ThreadDriver implements Driver {
  readonly #connection: DatabaseConnection

  constructor(thread: ReaderThread) {
    this.#connection = {
      executeQuery: async <R>({ sql, parameters }: CompiledQuery) => ({
        // Kysely says what the rows of its query are.
        rows: (await thread.query(sql, parameters.map(bindable))) as R[],
      }),
      streamQuery: () => {
        throw new Error('Rows of the reading thread come all at once')
      },
    }
  }

  async init(): Promise<void> {}
  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection
  }
  async releaseConnection(): Promise<void> {}
  async destroy(): Promise<void> {}
  readonly beginTransaction = refuseTransactions
  readonly commitTransaction = refuseTransactions
  readonly rollbackTransaction = refuseTransactions
}
