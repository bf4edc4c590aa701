import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { applyCommands } from '../apply-commands.ts'
import { Batch } from '../batch.ts'
import type { Command } from '../command.ts'
import { type Outcome, toFailure } from '../outcome.ts'
import type { RunEntry } from '../run-entry.ts'
import { type Row, runSync, type Statement } from '../statement.ts'
import { isFull, outage } from './sqlite-error.ts'
import { asValues } from './values.ts'

/** Some 300 bytes each: hot runs are never read again, idle ones make room. */
const maxRunsInMemory = 20_000
const runsEvictedAtOnce = 5_000
const pagesFreedAtOnce = 256

type Prepared = { statement: StatementSync; reads: boolean }

/** The one connection that writes. Synchronous: it lives in a thread of its own. */
export class SqliteWriter {
  readonly #db: DatabaseSync
  readonly #prepared = new Map<string, Prepared>()
  readonly #runs = new Map<string, RunEntry>()
  readonly #execute = (statement: Statement): readonly Row[] => this.#run(statement)

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  /** Commits the commands together. Only a batch that a statement broke is taken apart, and each tried alone. */
  apply(commands: readonly Command[]): Outcome[] {
    try {
      const outcomes = this.#commit(commands)
      if (commands.some(({ kind }) => kind === 'delete_job')) this.#freePages()
      return outcomes
    } catch (error) {
      const reason = outage(error)
      if (reason) return commands.map(() => ({ failure: toFailure(reason) }))
      if (commands.length === 1) return [{ failure: toFailure(error) }]
      return commands.flatMap((command) => this.apply([command]))
    }
  }

  close(): void {
    this.#db.close()
  }

  #commit(commands: readonly Command[]): Outcome[] {
    const batch = new Batch('sqlite', this.#runs)
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      const outcomes = runSync(applyCommands(batch, commands), this.#execute)
      this.#run({ sql: 'COMMIT', params: [] })
      this.#evictRuns()
      return outcomes
    } catch (error) {
      // A full disk may have rolled back already.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      for (const id of batch.touched) this.#runs.delete(id)
      throw error
    }
  }

  #run({ sql, params }: Statement): readonly Row[] {
    const { statement, reads } = this.#prepare(sql)
    const values = asValues(params)
    if (reads) return statement.all(...values)
    statement.run(...values)
    return []
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql)
    if (known) return known
    const statement = this.#db.prepare(sql)
    const prepared = { statement, reads: statement.columns().length > 0 }
    this.#prepared.set(sql, prepared)
    return prepared
  }

  /** Many at once: a map that loses its first entry again and again walks over all that it lost before. */
  #evictRuns(): void {
    if (this.#runs.size <= maxRunsInMemory + runsEvictedAtOnce) return
    for (const id of this.#runs.keys()) {
      if (this.#runs.size <= maxRunsInMemory) break
      this.#runs.delete(id)
    }
  }

  /** Gives the room of what was deleted back to the file system, a little at a time. */
  #freePages(): void {
    try {
      this.#db.exec(`PRAGMA incremental_vacuum(${pagesFreedAtOnce})`)
    } catch (error) {
      if (!isFull(error)) throw error
    }
  }
}
