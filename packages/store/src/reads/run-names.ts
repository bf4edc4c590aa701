import { type KeptRun, unpack } from '../facts.ts'
import type { Database } from './database.ts'
import type { JournalRow } from './journal.ts'

const maxNames = 20_000
const forgottenAtOnce = 5_000

export type RunName = { id: string; jobId: string }

/** Which run and job a number in the journal means. The answer never changes, so it is kept. */
export class RunNames {
  readonly #database: Database
  readonly #names = new Map<number, RunName>()

  constructor(database: Database) {
    this.#database = database
  }

  /** The names of the runs that these rows belong to. */
  async ofRows(rows: readonly JournalRow[]): Promise<ReadonlyMap<number, RunName>> {
    const found = new Map<number, RunName>()
    const missing = new Set<number>()
    for (const row of rows) {
      if (row.run === null || found.has(row.run)) continue
      const name = this.#names.get(row.run) ?? this.#learn(row)
      if (name) found.set(row.run, name)
      else missing.add(row.run)
    }
    if (missing.size > 0) await this.#read([...missing], found)
    this.#forgetOldest()
    return found
  }

  /** The row that began a run says its name; so who follows the log needs no table beside it. */
  #learn({ run, prev, data }: JournalRow): RunName | undefined {
    if (run === null || prev !== null) return undefined
    for (const [, , , , kept] of unpack(data)) {
      if (kept === undefined || !('job_id' in kept)) continue
      return this.#keep(run, kept)
    }
    return undefined
  }

  #keep(ref: number, { id, job_id }: Pick<KeptRun, 'id' | 'job_id'>): RunName {
    const name = { id, jobId: job_id }
    this.#names.set(ref, name)
    return name
  }

  async #read(missing: readonly number[], found: Map<number, RunName>): Promise<void> {
    await this.#database.current()
    // SQLite takes at most 32,766 parameters; a page of events has far fewer runs.
    for (const table of ['runs', 'deleted_runs'] as const) {
      const wanted = missing.filter((ref) => !found.has(ref))
      if (wanted.length === 0) return
      const rows = await this.#database.db
        .selectFrom(table)
        .select(['ref', 'id', 'job_id'])
        .where('ref', 'in', wanted)
        .execute()
      for (const row of rows) found.set(row.ref, this.#keep(row.ref, row))
    }
  }

  #forgetOldest(): void {
    if (this.#names.size <= maxNames + forgottenAtOnce) return
    for (const ref of this.#names.keys()) {
      if (this.#names.size <= maxNames) return
      this.#names.delete(ref)
    }
  }
}
