import { eventId } from '@kyros/contract/id'
import type { JsonObject } from '@kyros/contract/json'
import type { RunState } from '@kyros/contract/run-state'
import {
  insertEvents,
  insertIdempotency,
  insertInbox,
  insertJobs,
  insertLogs,
  insertRuns,
  updateJobs,
  updateRuns,
  writeRows,
} from './bulk.ts'
import type { Appended, Idempotency, InboxMessage, NewEvent, NewJob, NewRun, NewRunEvent } from './command.ts'
import { pruneAnswers } from './commands/prune-answers.ts'
import { fixedColumns, fold, newEntry, type RunEntry, stateColumns } from './run-entry.ts'
import { type Dialect, int, type SqlValue, type Statement, type Steps } from './statement.ts'

/** What a command gets back; a function where it needs the number that the log had before the segment. */
export type Answer<R> = R | ((base: number) => R)

export type KeptAnswer = Pick<Idempotency, 'fingerprint' | 'status' | 'response'>

/** An answer that is not whole before its event has its number. */
type UnnumberedAnswer = { kept: Idempotency; place: number; timeMs: number }

type PendingEvent = { entry: RunEntry | null; runSeq: number | null; columns: SqlValue[] }
type PendingLine = { entry: RunEntry; columns: SqlValue[] }
type Count = { runs: number; jobs: number }

// A constant of our own: the one lock under which every process numbers what it appends.
const numbering = { sqlite: 'SELECT 1', postgres: 'SELECT pg_advisory_xact_lock(7201420911)' } as const

// A number is never given twice: the events of a deleted run keep theirs.
const lastRef = `SELECT COALESCE(MAX(ref), 0) AS number FROM
  (SELECT MAX(ref) AS ref FROM runs UNION ALL SELECT MAX(ref) FROM deleted_runs) AS refs`

/**
 * What the commands of one transaction have decided and not written yet. Numbers are given last, so that on
 * PostgreSQL the lock for them is held for a moment only; a segment is what one `finish` writes.
 */
export class Batch {
  readonly dialect: Dialect
  readonly runs: Map<string, RunEntry>
  /** Runs that a rollback makes untrue. */
  readonly touched = new Set<string>()
  /** Answers given under an Idempotency-Key, as far as they were looked up; null where there is none. */
  readonly answers = new Map<string, KeptAnswer | null>()
  /** The engine's epoch, read once and locked until the commit. */
  leaseEpoch: number | undefined
  head: number | undefined
  hasEvents = false

  #events: PendingEvent[] = []
  #jobs: { entry: RunEntry; columns: SqlValue[] }[] = []
  #newRuns: { entry: RunEntry; columns: SqlValue[] }[] = []
  readonly #changedRuns = new Set<RunEntry>()
  #latestRuns: { entry: RunEntry; jobId: string }[] = []
  #lines: PendingLine[] = []
  #idempotency: SqlValue[][] = []
  #unnumbered: UnnumberedAnswer[] = []
  #accepted: SqlValue[][] = []
  #answeredMs = 0
  readonly #counts = new Map<string, Count>()

  constructor(dialect: Dialect, runs: Map<string, RunEntry>) {
    this.dialect = dialect
    this.runs = runs
  }

  /** True when this segment holds something; a command that failed must not have changed that. */
  get size(): number {
    return this.#events.length + this.#newRuns.length + this.#lines.length + this.#idempotency.length
  }

  /** Appends a fact that belongs to no run; returns its place in the segment, from 1. */
  emit(event: NewEvent): number {
    const { type, subject, jobId, actor, timeMs, data } = event
    // A subject that follows from the job is not stored: it would cost a second index entry.
    const stored = jobId !== undefined && subject === `jobs/${jobId}` ? null : subject
    const columns = [type, stored, jobId ?? null, actor ?? null, timeMs, JSON.stringify(data)]
    return this.#events.push({ entry: null, runSeq: null, columns })
  }

  addJob(job: NewJob, entry: RunEntry): void {
    const columns = [
      ...[job.title, job.task, job.agentId, job.workflow, job.priority, job.projectId],
      ...[job.createdBy, job.createdMs, JSON.stringify(job.input), JSON.stringify(job.metadata)],
    ]
    this.#jobs.push({ entry, columns: [job.id, 0, ...columns] })
  }

  addRun(run: NewRun, jobInput: string): RunEntry {
    const entry = newEntry(run)
    const input = JSON.stringify(run.input)
    this.#newRuns.push({ entry, columns: fixedColumns(run, input === jobInput ? null : input) })
    this.#remember(entry)
    return entry
  }

  /** Tells whoever runs the engine of a new run, in the commit that makes it. */
  announce(run: NewRun): void {
    const message: InboxMessage = { type: 'accept', runId: run.id }
    this.#accepted.push([JSON.stringify(message), run.createdMs])
  }

  /** The job's latest run is this one from now on. */
  setLatest(jobId: string, entry: RunEntry): void {
    this.#latestRuns.push({ entry, jobId })
  }

  /** A newer run took this one's place in its job. */
  supersede(entry: RunEntry): void {
    entry.latest = false
    this.count(entry.state.status, 0, -1)
    this.#change(entry)
  }

  append(entry: RunEntry, events: readonly NewRunEvent[]): (base: number) => Appended {
    const first = this.#events.length + 1
    for (const event of events) {
      fold(entry, event, this.#events.length + 1)
      const columns = [event.type, null, null, event.actor ?? null, event.timeMs, JSON.stringify(event.data)]
      this.#events.push({ entry, runSeq: entry.state.run_seq, columns })
    }
    this.#change(entry)
    const { state, provisional } = entry
    return (base) => ({
      seqs: events.map((_, index) => base + first + index),
      state: provisional ? numbered(state, base) : state,
    })
  }

  addLine(entry: RunEntry, columns: SqlValue[]): void {
    entry.logLines++
    this.#lines.push({ entry, columns: [entry.logLines, ...columns] })
    this.#change(entry)
  }

  keepAnswer(idempotency: Idempotency): void {
    this.answers.set(answerKey(idempotency), idempotency)
    this.#answeredMs = Math.max(this.#answeredMs, idempotency.createdMs)
    this.#idempotency.push(answerColumns(idempotency))
  }

  /** Keeps an answer, an object, with the id and the number that the end of the segment gives the event at `place`. */
  keepNumberedAnswer(idempotency: Idempotency, event: { place: number; timeMs: number }): void {
    const kept = { ...idempotency }
    this.answers.set(answerKey(kept), kept)
    this.#answeredMs = Math.max(this.#answeredMs, kept.createdMs)
    this.#unnumbered.push({ kept, ...event })
  }

  /** Moves the counters of runs and jobs by status. */
  count(status: string, runs: number, jobs: number): void {
    const count = this.#counts.get(status) ?? { runs: 0, jobs: 0 }
    this.#counts.set(status, { runs: count.runs + runs, jobs: count.jobs + jobs })
  }

  forget(runId: string): void {
    this.runs.delete(runId)
  }

  /** Holds the right to number events until the commit. */
  get lock(): Statement {
    return { sql: numbering[this.dialect], params: [], blind: true }
  }

  /** Numbers and writes the segment; returns the number before its first event. */
  *finish(): Steps<number> {
    yield* this.#writeAnswers()
    if (this.#events.length + this.#changedRuns.size + this.#counts.size === 0) return 0
    yield this.lock
    const head = this.head ?? (yield* readNumber('SELECT COALESCE(MAX(seq), 0) AS number FROM events'))
    yield* this.#numberRuns()
    yield* writeRows(this.dialect, insertEvents, this.#eventRows(head))
    yield* this.#writeNumberedAnswers(head)
    this.head = head + this.#events.length
    this.hasEvents ||= this.#events.length > 0
    yield* this.#writeRuns(head)
    yield* this.#writeCounts()
    this.#events = []
    return head
  }

  *#writeAnswers(): Steps<void> {
    const kept = this.#idempotency.length
    if (kept === 0) return
    yield* writeRows(this.dialect, insertIdempotency, this.#idempotency)
    this.#idempotency = []
    yield* pruneAnswers(this.#answeredMs, 2 * kept)
  }

  *#writeNumberedAnswers(head: number): Steps<void> {
    if (this.#unnumbered.length === 0) return
    for (const { kept, place, timeMs } of this.#unnumbered) {
      const seq = head + place
      // The command's type says that it is an object.
      kept.response = { id: eventId(timeMs, seq), seq, ...(kept.response as JsonObject) }
      this.#idempotency.push(answerColumns(kept))
    }
    this.#unnumbered = []
    yield* this.#writeAnswers()
  }

  *#numberRuns(): Steps<void> {
    if (this.#newRuns.length === 0) return
    let ref = yield* readNumber(lastRef)
    for (const { entry } of this.#newRuns) entry.ref = ++ref
  }

  #eventRows(head: number): SqlValue[][] {
    return this.#events.map(({ entry, runSeq, columns }, index) => [
      head + index + 1,
      entry?.ref ?? null,
      runSeq,
      ...columns,
    ])
  }

  *#writeRuns(head: number): Steps<void> {
    for (const entry of this.#changedRuns) this.#settle(entry, head)
    const added = new Set(this.#newRuns.map(({ entry }) => entry))
    const changed = [...this.#changedRuns].filter((entry) => !added.has(entry))
    const newRuns = this.#newRuns.map(({ entry, columns }) => [entry.ref, ...columns, ...stateColumns(entry)])
    yield* writeRows(this.dialect, insertRuns, newRuns)
    yield* writeRows(
      this.dialect,
      updateRuns,
      changed.map((entry) => [...stateColumns(entry), entry.ref]),
    )
    yield* writeRows(
      this.dialect,
      insertJobs,
      this.#jobs.map(({ entry, columns }) => columns.with(1, entry.ref)),
    )
    const latest = this.#latestRuns.map(({ entry, jobId }) => [entry.ref, jobId])
    yield* writeRows(this.dialect, updateJobs, latest)
    const lines = this.#lines.map(({ entry, columns }) => [entry.ref, ...columns])
    yield* writeRows(this.dialect, insertLogs, lines)
    yield* writeRows(this.dialect, insertInbox, this.#accepted)
    for (const entry of this.#changedRuns) entry.result = null
    this.#changedRuns.clear()
    this.#newRuns = []
    this.#jobs = []
    this.#latestRuns = []
    this.#lines = []
    this.#accepted = []
  }

  /** Gives the state its real number and moves the counters to its status. */
  #settle(entry: RunEntry, head: number): void {
    if (entry.provisional) entry.state = numbered(entry.state, head)
    entry.provisional = false
    const { status } = entry.state
    if (entry.countedAs === status) return
    const jobs = entry.latest ? 1 : 0
    if (entry.countedAs !== null) this.count(entry.countedAs, -1, -jobs)
    this.count(status, 1, jobs)
    entry.countedAs = status
  }

  *#writeCounts(): Steps<void> {
    for (const [status, { runs, jobs }] of this.#counts) {
      if (runs === 0 && jobs === 0) continue
      yield {
        sql: `INSERT INTO run_counts (status, runs, jobs) VALUES (?, ?, ?) ON CONFLICT (status)
          DO UPDATE SET runs = run_counts.runs + excluded.runs, jobs = run_counts.jobs + excluded.jobs`,
        params: [status, runs, jobs],
        blind: true,
      }
    }
    this.#counts.clear()
  }

  #change(entry: RunEntry): void {
    this.#changedRuns.add(entry)
    this.touched.add(entry.id)
  }

  #remember(entry: RunEntry): void {
    this.runs.set(entry.id, entry)
    this.#change(entry)
  }
}

export function answerKey({
  principal,
  route,
  key,
}: Omit<Idempotency, keyof KeptAnswer | 'createdMs'>): string {
  return JSON.stringify([principal, route, key])
}

function answerColumns(kept: Idempotency): SqlValue[] {
  const { principal, route, key, fingerprint, status, response, createdMs } = kept
  return [principal, route, key, fingerprint, status, JSON.stringify(response), createdMs]
}

function numbered(state: RunState, base: number): RunState {
  return { ...state, last_seq: base + state.last_seq }
}

function* readNumber(sql: string): Steps<number> {
  const [row] = yield { sql, params: [] }
  return row ? int(row, 'number') : 0
}
