import type { Kysely } from 'kysely'
import type { Dialect } from '../statement.ts'
import { asStoreError } from '../store-error.ts'
import type { Tables } from '../tables.ts'

/** What every read needs: the queries, the dialect where it shows, and how an outage is told from a mistake. */
export type Database = {
  readonly db: Kysely<Tables>
  /** The same for queries that may look at every row of a large table: nothing else waits for them. */
  readonly scanning: Kysely<Tables>
  readonly dialect: Dialect
  /** The refusal behind an error of the database, or the error itself. */
  readonly explain: (error: unknown) => unknown
  /** The connection was already broken when the read began: another one may answer. */
  readonly mayRepeat: (error: unknown) => boolean
  /** Brings the tables of runs and jobs up to what was answered before; undefined when they are. */
  readonly current: () => Promise<void> | undefined
}

/** Like `guarded`, for reads of runs and jobs: those may lag behind the journal, and are brought up to it first. */
export function current<T extends Record<string, (...args: never[]) => Promise<unknown>>>(
  database: Database,
  reads: T,
): T {
  const entries = Object.entries(reads).map(([name, read]) => [
    name,
    async (...args: never[]) => {
      const catchingUp = database.current()
      if (catchingUp) await catchingUp
      return read(...args)
    },
  ])
  // The same names and signatures.
  return guarded(database, Object.fromEntries(entries) as T)
}

/** Lets every function of a group of reads report an outage as `store_unavailable`, after one more try. */
export function guarded<T extends Record<string, (...args: never[]) => Promise<unknown>>>(
  { explain, mayRepeat }: Database,
  reads: T,
): T {
  const entries = Object.entries(reads).map(([name, read]) => [
    name,
    async (...args: never[]) => {
      try {
        return await read(...args).catch((error: unknown) => {
          if (mayRepeat(error)) return read(...args)
          throw error
        })
      } catch (error) {
        throw asStoreError(explain(error))
      }
    },
  ])
  // The same names and signatures, each with its errors explained.
  return Object.fromEntries(entries) as T
}
