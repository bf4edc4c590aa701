import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { SqlValue } from '../statement.ts'

const maxPrepared = 500

/** Prepares each text once, and lets it use our own functions. */
export function prepareReads(db: DatabaseSync): (sql: string) => StatementSync {
  db.function('fold', { deterministic: true }, (value) =>
    typeof value === 'string' ? value.toLowerCase() : value,
  )
  const prepared = new Map<string, StatementSync>()
  return (sql) => {
    const known = prepared.get(sql)
    if (known) return known
    if (prepared.size >= maxPrepared) prepared.clear()
    const statement = db.prepare(sql)
    prepared.set(sql, statement)
    return statement
  }
}

/** @throws TypeError for what SQLite has no type for */
export function bindable(value: unknown): SqlValue {
  if (value === null || typeof value === 'number' || typeof value === 'string') return value
  if (typeof value === 'boolean') return value ? 1 : 0
  throw new TypeError(`SQLite cannot bind a ${typeof value}`)
}
