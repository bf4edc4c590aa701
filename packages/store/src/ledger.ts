import { addRunCounts, insertJobs, insertRuns, updateJobs, updateRuns, writeRows } from './bulk.ts'
import { RecentMap } from './recent-map.ts'
import { type RunEntry, stateColumns } from './run-entry.ts'
import type { Dialect, Steps } from './statement.ts'

/** Some 500 bytes each, twice as many at most: hot runs are never read again, idle ones make room. */
const recentRuns = 12_500

type Count = { runs: number; jobs: number }

/** The last number whose facts are in the projections; on SQLite they may lag behind the journal. */
export const projectedKey = 'projected_seq'

/**
 * What a writer knows of runs, and what of it is not in the tables of runs and jobs yet. On SQLite it outlives the
 * batches: a run that begins and ends between two projections costs one row. On PostgreSQL, where others write too,
 * it is that of one transaction.
 */
export class Ledger {
  readonly dialect: Dialect
  readonly runs: RecentMap<RunEntry>
  /** Number of the last event, and of the last run; undefined until they are read. */
  head: number | undefined
  lastRef: number | undefined
  /** The largest ids in the tables: a larger one is new for sure. */
  lastRunId = ''
  lastJobId = ''
  /** The engine's epoch as last read. */
  leaseEpoch: number | undefined
  /** About how many characters the projections will take. */
  dirtyChars = 0

  readonly #dirty = new Set<RunEntry>()
  readonly #newJobs = new Set<string>()
  #latest: { entry: RunEntry; jobId: string }[] = []
  readonly #counts = new Map<string, Count>()

  constructor(dialect: Dialect) {
    this.dialect = dialect
    // On PostgreSQL it holds what one transaction has locked and reads nothing again.
    const size = dialect === 'sqlite' ? recentRuns : Number.POSITIVE_INFINITY
    this.runs = new RecentMap(size, (entry) => entry.pendingLines > 0 || this.#dirty.has(entry))
  }

  get dirtyRuns(): number {
    return this.#dirty.size
  }

  get isDirty(): boolean {
    return this.#dirty.size + this.#counts.size > 0
  }

  /** Whether a job is new and in no table yet. */
  hasNewJob(jobId: string): boolean {
    return this.#newJobs.has(jobId)
  }

  change(entry: RunEntry): void {
    this.#dirty.add(entry)
  }

  add(entry: RunEntry, chars: number): void {
    this.runs.set(entry.id, entry)
    if (entry.newJob !== undefined) this.#newJobs.add(entry.jobId)
    this.dirtyChars += chars
    this.#dirty.add(entry)
  }

  /** The job's latest run is this one from now on. */
  setLatest(jobId: string, entry: RunEntry): void {
    this.#latest.push({ entry, jobId })
  }

  forget(runId: string): void {
    const entry = this.runs.get(runId)
    if (entry !== undefined) this.#dirty.delete(entry)
    this.runs.delete(runId)
  }

  /** Moves the counters of runs and jobs by status. */
  count(status: string, runs: number, jobs: number): void {
    const count = this.#counts.get(status) ?? { runs: 0, jobs: 0 }
    this.#counts.set(status, { runs: count.runs + runs, jobs: count.jobs + jobs })
  }

  /** Gives provisional numbers their place after `shift` others. */
  number(shift: number): void {
    for (const entry of this.#dirty) {
      if (entry.provisional) entry.state.last_seq += shift
      entry.provisional = false
    }
  }

  /** After a rollback nothing here is true any more. */
  clear(): void {
    this.runs.clear()
    this.head = undefined
    this.lastRef = undefined
    this.leaseEpoch = undefined
    this.#settled()
  }

  /**
   * Writes everything that is dirty, in the caller's transaction. What is dirty stays so until `projected` says that
   * the transaction is on its way to the disk. @param upTo on SQLite: the last number that is folded into it
   */
  *project(upTo?: number): Steps<void> {
    for (const entry of this.#dirty) this.#settle(entry)
    const added: RunEntry[] = []
    const changed: RunEntry[] = []
    for (const entry of this.#dirty) (entry.newRun === undefined ? changed : added).push(entry)
    const jobs = added.filter((entry) => entry.newJob !== undefined)
    yield* writeRows(this.dialect, insertRuns, added.map(newRow))
    yield* writeRows(this.dialect, updateRuns, changed.map(changedRow))
    yield* writeRows(this.dialect, insertJobs, jobs.map(jobRow))
    const latest = this.#latest.map(({ entry, jobId }) => [entry.ref, jobId])
    yield* writeRows(this.dialect, updateJobs, latest)
    yield* this.#writeCounts()
    if (upTo === undefined) return
    yield {
      sql: `INSERT INTO settings (key, value) VALUES ('${projectedKey}', ?)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
      params: [String(upTo)],
    }
  }

  /** What `project` wrote is in the tables now. */
  projected(): void {
    for (const entry of this.#dirty) {
      if (entry.newRun !== undefined && entry.id > this.lastRunId) this.lastRunId = entry.id
      if (entry.newJob !== undefined && entry.jobId > this.lastJobId) this.lastJobId = entry.jobId
      entry.newRun = undefined
      entry.newJob = undefined
      entry.result = null
    }
    this.#settled()
  }

  #settled(): void {
    this.#dirty.clear()
    this.#newJobs.clear()
    this.#latest = []
    this.#counts.clear()
    this.dirtyChars = 0
  }

  /** Moves the counters to the run's status. */
  #settle(entry: RunEntry): void {
    const { status } = entry.state
    if (entry.countedAs === status) return
    const jobs = entry.latest ? 1 : 0
    if (entry.countedAs !== null) this.count(entry.countedAs, -1, -jobs)
    this.count(status, 1, jobs)
    entry.countedAs = status
  }

  *#writeCounts(): Steps<void> {
    const changed = [...this.#counts].filter(([, { runs, jobs }]) => runs !== 0 || jobs !== 0)
    const rows = changed.map(([status, { runs, jobs }]) => [status, runs, jobs])
    yield* writeRows(this.dialect, addRunCounts, rows)
  }
}

// Places in the row of a new run.
const versionColumn = 4
const definitionColumn = 5
const engineColumn = 13

function newRow(entry: RunEntry) {
  const row = [entry.ref, ...(entry.newRun ?? []), ...stateColumns(entry)]
  const { version, definition, engine } = entry.state
  if (version !== undefined) row[versionColumn] = version
  if (definition !== undefined) row[definitionColumn] = definition
  if (engine !== undefined) row[engineColumn] = engine
  return row
}

function changedRow(entry: RunEntry) {
  const { version = null, definition = null, engine = null } = entry.state
  return [...stateColumns(entry), version, definition, engine, entry.ref]
}

function jobRow(entry: RunEntry) {
  return [entry.jobId, entry.ref, ...(entry.newJob ?? [])]
}
