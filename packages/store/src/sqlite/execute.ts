import type { DatabaseSync } from 'node:sqlite'
import { runSync, type Steps } from '../statement.ts'
import { asValues } from './values.ts'

/** Runs steps on a connection, outside the write path. */
export function executeOn<R>(db: DatabaseSync, steps: Steps<R>): R {
  return runSync(steps, ({ sql, params, rows }) => {
    const statement = db.prepare(sql)
    if (rows === undefined) return statement.all(...asValues(params))
    for (const row of rows) statement.run(...row)
    return []
  })
}

export function inTransaction<R>(db: DatabaseSync, steps: Steps<R>): R {
  db.exec('BEGIN IMMEDIATE')
  try {
    const result = executeOn(db, steps)
    db.exec('COMMIT')
    return result
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}
