import type { Client } from 'pg'
import { numberPlaceholders, runAsync, type Statement, type Steps } from '../statement.ts'
import { asValues } from './values.ts'

// Two processes that start at once must not both migrate.
const migrating = 'SELECT pg_advisory_xact_lock(7201420912)'

/** One process at a time changes the schema; freed by the end of the transaction. */
export async function lockSchema(client: Client): Promise<void> {
  await client.query(migrating)
}

/** Runs steps on a connection, outside the write path. */
export function executeOn<R>(client: Client, steps: Steps<R>): Promise<R> {
  return runAsync(steps, async ({ sql, params, lock }: Statement) => {
    const text = numberPlaceholders(lock ? `${sql} FOR UPDATE` : sql)
    return (await client.query(text, asValues(params))).rows
  })
}

/** Changes of the schema: all of them or none, and one process at a time. */
export async function inTransaction<R>(client: Client, steps: Steps<R>): Promise<R> {
  await client.query('BEGIN')
  try {
    await lockSchema(client)
    const result = await executeOn(client, steps)
    await client.query('COMMIT')
    return result
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    throw error
  }
}
