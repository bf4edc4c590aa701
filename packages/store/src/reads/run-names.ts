import type { Database } from './database.ts'

const maxNames = 20_000

export type RunName = { ref: number; id: string; jobId: string }

/** Which run and job a number in the log means. The answer never changes, so it is kept. */
export class RunNames {
  readonly #database: Database
  readonly #names = new Map<number, RunName>()

  constructor(database: Database) {
    this.#database = database
  }

  async ofRefs(refs: Iterable<number>): Promise<ReadonlyMap<number, RunName>> {
    const wanted = new Set(refs)
    const found = new Map<number, RunName>()
    const missing: number[] = []
    for (const ref of wanted) {
      const name = this.#names.get(ref)
      if (name) found.set(ref, name)
      else missing.push(ref)
    }
    // SQLite takes at most 32,766 parameters; a page of events has far fewer runs.
    for (const table of ['runs', 'deleted_runs'] as const) {
      if (missing.length === 0 || found.size === wanted.size) break
      for (const name of await this.#read(table, missing)) found.set(name.ref, name)
    }
    return found
  }

  /** The number of a run, deleted or not. */
  async refOf(runId: string): Promise<number | undefined> {
    for (const table of ['runs', 'deleted_runs'] as const) {
      const row = await this.#database.db
        .selectFrom(table)
        .select('ref')
        .where('id', '=', runId)
        .executeTakeFirst()
      if (row) return row.ref
    }
    return undefined
  }

  async #read(table: 'runs' | 'deleted_runs', refs: readonly number[]): Promise<RunName[]> {
    const rows = await this.#database.db
      .selectFrom(table)
      .select(['ref', 'id', 'job_id'])
      .where('ref', 'in', refs)
      .execute()
    const names = rows.map((row) => ({ ref: row.ref, id: row.id, jobId: row.job_id }))
    for (const name of names) this.#names.set(name.ref, name)
    for (const ref of this.#names.keys()) {
      if (this.#names.size <= maxNames) break
      this.#names.delete(ref)
    }
    return names
  }
}
