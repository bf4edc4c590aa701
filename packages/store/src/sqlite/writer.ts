import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { applyCommands } from '../apply-commands.ts'
import { Batch, type Lookups } from '../batch.ts'
import { healSome, readNumbers } from '../heal.ts'
import { Ledger } from '../ledger.ts'
import { type Outcome, toFailure } from '../outcome.ts'
import { type Row, runSync, type Statement, type Steps } from '../statement.ts'
import type { Decoded } from '../wire.ts'
import { lookupsOn } from './lookups.ts'
import { isFull, outage } from './sqlite-error.ts'
import { asValues } from './values.ts'

const pagesFreedAtOnce = 256

/** How far the tables of runs and jobs may lag behind the journal. */
const maxLagMs = 100
const maxLagRuns = 2_000
const maxLagChars = 2_000_000
/** What needs much room has to find it before it is acknowledged, also in the tables. */
const largeChars = 16_000

type Prepared = { statement: StatementSync; reads: boolean }

/** The one connection that writes. Synchronous: it lives in a thread of its own. */
export class SqliteWriter {
  readonly #db: DatabaseSync
  readonly #prepared = new Map<string, Prepared>()
  readonly #ledger = new Ledger('sqlite')
  readonly #lookups: Lookups
  readonly #execute = (statement: Statement): readonly Row[] => this.#run(statement)
  /** The memory is not what the tables and the journal say: at the beginning, and after a rollback. */
  #isLost = true
  #dirtySince = 0

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#lookups = lookupsOn(this.#ledger, this.#execute)
  }

  /** Commits the commands together. Only a batch that a statement broke is taken apart, and each tried alone. */
  apply(commands: readonly Decoded[]): Outcome[] {
    try {
      this.#recover()
      const outcomes = this.#commit(commands)
      if (commands.some(isDeletion)) this.#freePages()
      return outcomes
    } catch (error) {
      const reason = outage(error)
      if (reason) return commands.map(() => ({ failure: toFailure(reason) }))
      if (commands.length === 1) return [{ failure: toFailure(error) }]
      return commands.flatMap((command) => this.apply([command]))
    }
  }

  /** Whether the tables of runs and jobs lag behind the journal. */
  get lags(): boolean {
    return this.#isLost || this.#ledger.isDirty
  }

  /** Whether they lag so much that `project` is due. */
  get lagsFar(): boolean {
    const { isDirty, dirtyRuns, dirtyChars } = this.#ledger
    if (!isDirty) return false
    return (
      dirtyRuns >= maxLagRuns || dirtyChars >= maxLagChars || performance.now() - this.#dirtySince >= maxLagMs
    )
  }

  /**
   * Brings the tables of runs and jobs up to the journal. Nothing of it needs the disk: after a crash it is folded from
   * the journal again. @throws an error of the database
   */
  project(): void {
    this.#recover()
    const ledger = this.#ledger
    if (ledger.isDirty) this.#unsynced(ledger.project(ledger.head))
  }

  /** @throws an error of the database when what the tables lack cannot be written; the journal has it */
  close(): void {
    try {
      this.project()
    } finally {
      this.#db.close()
    }
  }

  #commit(commands: readonly Decoded[]): Outcome[] {
    const ledger = this.#ledger
    const wasDirty = ledger.isDirty
    const charsBefore = ledger.dirtyChars
    const batch = new Batch(ledger, this.#lookups)
    const outcomes = this.#transaction(() => {
      const done = runSync(applyCommands(batch, commands), this.#execute)
      if (ledger.dirtyChars - charsBefore > largeChars * commands.length) {
        runSync(ledger.project(ledger.head), this.#execute)
        ledger.projected()
      }
      return done
    })
    if (!wasDirty) this.#dirtySince = performance.now()
    return outcomes
  }

  /** Reads what the journal has and the memory does not. */
  #recover(): void {
    if (!this.#isLost) return
    this.#ledger.clear()
    while (this.#unsynced(healSome(this.#ledger)));
    this.#ledger.clear()
    runSync(readNumbers(this.#ledger), this.#execute)
    this.#isLost = false
  }

  /** A commit that a power loss may take back. */
  #unsynced<R>(steps: Steps<R>): R {
    this.#db.exec('PRAGMA synchronous = NORMAL')
    try {
      return this.#transaction(() => {
        const result = runSync(steps, this.#execute)
        this.#ledger.projected()
        return result
      })
    } finally {
      this.#db.exec('PRAGMA synchronous = FULL')
    }
  }

  #transaction<R>(work: () => R): R {
    this.#run({ sql: 'BEGIN IMMEDIATE', params: [] })
    try {
      const result = work()
      this.#run({ sql: 'COMMIT', params: [] })
      return result
    } catch (error) {
      // A full disk may have rolled back already.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      this.#isLost = true
      throw error
    }
  }

  #run({ sql, params, rows }: Statement): readonly Row[] {
    const { statement, reads } = this.#prepare(sql)
    if (rows !== undefined) {
      for (const row of rows) statement.run(...row)
      return []
    }
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

  /** Gives the room of what was deleted back to the file system, a little at a time. */
  #freePages(): void {
    try {
      this.#db.exec(`PRAGMA incremental_vacuum(${pagesFreedAtOnce})`)
    } catch (error) {
      if (!isFull(error)) throw error
    }
  }
}

function isDeletion(decoded: Decoded): boolean {
  return decoded.kind === 'cold' && ['delete_job', 'remove_jobs'].includes(decoded.command.kind)
}
