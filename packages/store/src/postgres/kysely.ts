import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely'
import type { Pool } from 'pg'
import type { Tables } from '../tables.ts'
import { asQueryValues } from './values.ts'

export function kyselyOnPostgres(pool: Pool): Kysely<Tables> {
  const reading: PostgresPool = {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect()
      // Kysely's type also has a form for cursors; no read of ours uses one.
      return {
        query: (sql: string, parameters: readonly unknown[]) => client.query(sql, asQueryValues(parameters)),
        release: (destroy?: boolean) => client.release(destroy),
      } as unknown as PostgresPoolClient
    },
  }
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool: reading }) })
}
