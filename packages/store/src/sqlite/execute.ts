import type { DatabaseSync } from 'node:sqlite'
import { runSync, type Steps } from '../statement.ts'
import { asValues } from './values.ts'

/** Runs steps on a connection, outside the write path. */
export function executeOn<R>(db: DatabaseSync, steps: Steps<R>): R {
  return runSync(steps, ({ sql, params }) => db.prepare(sql).all(...asValues(params)))
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
