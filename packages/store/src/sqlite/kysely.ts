import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { Kysely, SqliteAdapter, SqliteDialect } from 'kysely'
import type { Tables } from '../tables.ts'

const maxPrepared = 500

/** Kysely on node:sqlite: its SQLite dialect asks for better-sqlite3's form of a statement. */
export function kyselyOnSqlite(db: DatabaseSync): Kysely<Tables> {
  db.function('fold', { deterministic: true }, (value) =>
    typeof value === 'string' ? value.toLowerCase() : value,
  )
  const prepared = new Map<string, StatementSync>()
  const prepare = (sql: string): StatementSync => {
    const known = prepared.get(sql)
    if (known) return known
    if (prepared.size >= maxPrepared) prepared.clear()
    const statement = db.prepare(sql)
    prepared.set(sql, statement)
    return statement
  }
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

function bindable(value: unknown): null | number | string {
  if (value === null || typeof value === 'number' || typeof value === 'string') return value
  if (typeof value === 'boolean') return value ? 1 : 0
  throw new TypeError(`SQLite cannot bind a ${typeof value}`)
}
