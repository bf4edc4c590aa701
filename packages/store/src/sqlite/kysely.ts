import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { Kysely, SqliteDialect } from 'kysely'
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
    dialect: new SqliteDialect({
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

function bindable(value: unknown): null | number | string {
  if (value === null || typeof value === 'number' || typeof value === 'string') return value
  if (typeof value === 'boolean') return value ? 1 : 0
  throw new TypeError(`SQLite cannot bind a ${typeof value}`)
}
