import { eventId } from '@kyros/contract/id'
import { insertFact, insertIdempotency, insertInbox, insertLogs, insertRunFacts, writeRows } from './bulk.ts'
import type { Idempotency, InboxMessage, NewEvent } from './command.ts'
import { handOver } from './commands/inbox.ts'
import { pruneAnswers } from './commands/prune-answers.ts'
import { continuedCode, type Facts } from './facts.ts'
import type { Ledger } from './ledger.ts'
import { foldFacts, newEntry, type RunEntry } from './run-entry.ts'
import { type Dialect, int, type SqlValue, type Statement, type Steps } from './statement.ts'
import { engineColumn, type HotSubmission, type KeptText } from './wire.ts'

/**
 * What a command gets back; a function where its numbers are given only at the end of the segment: those of the
 * events so far have to be raised by `shift`.
 */
export type Answer<R> = R | ((shift: number) => R)

export type KeptAnswer = Pick<KeptText, 'fingerprint' | 'status' | 'response'>

/** An answer that is not whole before its event has its number. */
type UnnumberedAnswer = { kept: KeptText; seq: number; timeMs: number }

/** `isShifted`: `prev` is provisional as well. */
type FactsRow = { entry: RunEntry; isShifted: boolean; columns: SqlValue[] }

/** What the commands of a batch ask for one at a time; on PostgreSQL all of it was read before. */
export type Lookups = {
  run(runId: string): RunEntry | undefined
  /** Whether there is a run or a job of that id; false where the database itself will say so. */
  isTaken(runId: string, jobId: string | undefined): boolean
  answer(asked: Idempotency | KeptText): KeptAnswer | undefined
  leaseEpoch(): number
  /** The number of the run's last log line, 0 without any. */
  lastLine(entry: RunEntry): number
}

// A constant of our own: the one lock under which every process numbers what it appends.
const numbering = { sqlite: 'SELECT 1', postgres: 'SELECT pg_advisory_xact_lock(7201420911)' } as const

export const readHead = 'SELECT COALESCE(MAX(seq), 0) AS number FROM events'
// A number is never given twice: the events of a deleted run keep theirs.
export const readLastRef = `SELECT COALESCE(MAX(ref), 0) AS number FROM
  (SELECT MAX(ref) AS ref FROM runs UNION ALL SELECT MAX(ref) FROM deleted_runs) AS refs`

const runColumnOfRow = 2
const prevColumnOfRow = 4

/**
 * What the commands of one transaction have decided and not written yet; a segment is what one `finish` writes. On
 * SQLite, where nobody else writes, numbers are known at once. On PostgreSQL they are given last, so that the lock
 * for them is held for a moment only: until then they count from 0.
 */
export class Batch {
  readonly ledger: Ledger
  readonly lookups: Lookups
  /** Answers given under an Idempotency-Key, as far as they were looked up; null where there is none. */
  readonly answers = new Map<string, KeptAnswer | null>()
  /** Jobs and runs have changed in a way that the journal alone does not tell. */
  mustProject = false

  /** The number of the last event so far, provisional unless the ledger knows the head. */
  #last: number
  #rows: FactsRow[] = []
  #facts: SqlValue[][] = []
  #newRuns: RunEntry[] = []
  #lines: { entry: RunEntry; columns: SqlValue[] }[] = []
  #idempotency: SqlValue[][] = []
  #unnumbered: UnnumberedAnswer[] = []
  #accepted: SqlValue[][] = []
  /** Those that go to another engine. */
  #moved: { runId: string; engine: string; timeMs: number }[] = []
  #answeredMs = 0

  constructor(ledger: Ledger, lookups: Lookups) {
    this.ledger = ledger
    this.lookups = lookups
    this.#last = ledger.head ?? 0
  }

  get dialect(): Dialect {
    return this.ledger.dialect
  }

  get runs(): Ledger['runs'] {
    return this.ledger.runs
  }

  /** True when this segment holds something; a command that failed must not have changed that. */
  get size(): number {
    return this.#rows.length + this.#facts.length + this.#lines.length + this.#idempotency.length
  }

  /** Appends a fact that belongs to no run; returns its number, perhaps provisional. */
  emit(event: NewEvent): number {
    const { type, subject, jobId, actor, timeMs, data } = event
    // A subject that follows from the job is not stored: it would cost a second index entry.
    const stored = jobId !== undefined && subject === `jobs/${jobId}` ? null : subject
    const seq = ++this.#last
    const columns = [type, stored, jobId ?? null, actor ?? null, timeMs, JSON.stringify(data)]
    this.#facts.push([seq, 1, ...columns])
    return seq
  }

  /** Makes the run, and its job where it comes with it. Returns the number of the first of its own events. */
  submit(submission: HotSubmission): { entry: RunEntry; firstSeq: number } {
    const { runId, jobId, createdMs, jobColumns, runColumns, facts, idempotency, announce } = submission
    const entry = newEntry(runId, jobId, createdMs)
    entry.newRun = runColumns
    entry.newJob = jobColumns
    const { ledger } = this
    if (ledger.lastRef === undefined) this.#newRuns.push(entry)
    else entry.ref = ++ledger.lastRef
    ledger.add(entry, facts.text.length)
    if (idempotency) this.keepAnswer(idempotency)
    if (announce) this.#announce(submission)
    const first = this.append(entry, facts)
    return { entry, firstSeq: jobColumns === undefined ? first : first + 1 }
  }

  /** Returns the number of the first of the facts, 0 where there is none. */
  append(entry: RunEntry, facts: Facts): number {
    if (facts.count === 0) return 0
    const { state, provisional } = entry
    const first = this.#last + 1
    this.#last += facts.count
    const prev = state.run_seq === 0 ? null : state.last_seq
    const { engine } = state
    foldFacts(entry, facts, first)
    entry.provisional = this.ledger.head === undefined
    const type = facts.codes.includes(continuedCode) ? 'run.continued' : null
    if (state.engine !== undefined && state.engine !== engine) {
      this.#moved.push({ runId: entry.id, engine: state.engine, timeMs: entry.updatedMs })
    }
    const columns = [
      this.#last,
      facts.count,
      entry.ref,
      state.run_seq,
      prev,
      type,
      entry.updatedMs,
      facts.text,
    ]
    this.#rows.push({ entry, isShifted: provisional && prev !== null, columns })
    this.ledger.change(entry)
    return first
  }

  addLine(entry: RunEntry, columns: SqlValue[]): void {
    entry.logLines = (entry.logLines ?? this.lookups.lastLine(entry)) + 1
    entry.pendingLines++
    this.#lines.push({ entry, columns: [entry.logLines, ...columns] })
  }

  keepAnswer(idempotency: KeptText): void {
    this.answers.set(answerKey(idempotency), idempotency)
    this.#answeredMs = Math.max(this.#answeredMs, idempotency.createdMs)
    this.#idempotency.push(answerColumns(idempotency))
  }

  /** Keeps an answer, an object, with the id and the number that the end of the segment gives the event `seq`. */
  keepNumberedAnswer(idempotency: KeptText, event: { seq: number; timeMs: number }): void {
    const kept = { ...idempotency }
    this.answers.set(answerKey(kept), kept)
    this.#answeredMs = Math.max(this.#answeredMs, kept.createdMs)
    this.#unnumbered.push({ kept, ...event })
  }

  /** The first answer under this key. */
  answer(asked: Idempotency | KeptText): KeptAnswer | undefined {
    const known = this.answers.get(answerKey(asked))
    return known === undefined ? this.lookups.answer(asked) : (known ?? undefined)
  }

  /** The run as this batch knows it; undefined when there is none. */
  find(runId: string): RunEntry | undefined {
    const known = this.runs.get(runId)
    if (known !== undefined) return known
    const entry = this.lookups.run(runId)
    if (entry !== undefined) this.runs.set(runId, entry)
    return entry
  }

  /** Holds the right to number events until the commit. */
  get lock(): Statement {
    return { sql: numbering[this.dialect], params: [], blind: true }
  }

  /** Numbers and writes the segment; returns by how much the numbers given so far have to be raised. */
  *finish(): Steps<number> {
    yield* this.#writeAnswers()
    const { ledger } = this
    const isNumbered = this.#rows.length + this.#facts.length > 0
    if (isNumbered && this.dialect === 'postgres') yield this.lock
    const shift = isNumbered ? yield* this.#shift() : 0
    yield* this.#numberRuns()
    for (const row of this.#rows) place(row, shift)
    if (shift > 0) for (const row of this.#facts) row[0] = Number(row[0]) + shift
    yield* writeRows(
      this.dialect,
      insertRunFacts,
      this.#rows.map(({ columns }) => columns),
    )
    yield* writeRows(this.dialect, insertFact, this.#facts)
    if (isNumbered) {
      this.#last += shift
      ledger.head = this.#last
      ledger.number(shift)
    }
    yield* this.#writeNumberedAnswers(shift)
    const lines = this.#lines.map(({ entry, columns }) => [entry.ref, ...columns])
    yield* writeRows(this.dialect, insertLogs, lines)
    for (const { entry } of this.#lines) entry.pendingLines = 0
    for (const { runId, engine, timeMs } of this.#moved) {
      const message = yield* handOver(runId, engine, this.dialect)
      this.#accepted.push([JSON.stringify(message), timeMs, engine])
    }
    yield* writeRows(this.dialect, insertInbox, this.#accepted)
    this.#rows = []
    this.#facts = []
    this.#lines = []
    this.#accepted = []
    this.#moved = []
    return shift
  }

  /** 0 where the head was known when the segment began. */
  *#shift(): Steps<number> {
    return this.ledger.head === undefined ? yield* readNumber(readHead) : 0
  }

  *#writeAnswers(): Steps<void> {
    const kept = this.#idempotency.length
    if (kept === 0) return
    yield* writeRows(this.dialect, insertIdempotency, this.#idempotency)
    this.#idempotency = []
    yield* pruneAnswers(this.#answeredMs, 2 * kept)
  }

  *#writeNumberedAnswers(shift: number): Steps<void> {
    if (this.#unnumbered.length === 0) return
    for (const { kept, seq, timeMs } of this.#unnumbered) {
      const number = seq + shift
      kept.response = JSON.stringify({
        id: eventId(timeMs, number),
        seq: number,
        ...JSON.parse(kept.response),
      })
      this.#idempotency.push(answerColumns(kept))
    }
    this.#unnumbered = []
    yield* this.#writeAnswers()
  }

  *#numberRuns(): Steps<void> {
    if (this.#newRuns.length === 0) return
    let ref = yield* readNumber(readLastRef)
    for (const entry of this.#newRuns) entry.ref = ++ref
    this.#newRuns = []
  }

  /** Tells whoever runs the engine of a new run, in the commit that makes it. */
  #announce({ runId, createdMs, runColumns }: HotSubmission): void {
    const message: InboxMessage = { type: 'accept', runId }
    this.#accepted.push([JSON.stringify(message), createdMs, runColumns[engineColumn] ?? null])
  }
}

/** Gives a row the numbers that were not known when it was made. */
function place({ entry, isShifted, columns }: FactsRow, shift: number): void {
  columns[runColumnOfRow] = entry.ref
  if (shift === 0) return
  columns[0] = Number(columns[0]) + shift
  if (isShifted) columns[prevColumnOfRow] = Number(columns[prevColumnOfRow]) + shift
}

export function answerKey({
  principal,
  route,
  key,
}: Pick<Idempotency, 'principal' | 'route' | 'key'>): string {
  return JSON.stringify([principal, route, key])
}

function answerColumns(kept: KeptText): SqlValue[] {
  const { principal, route, key, fingerprint, status, response, createdMs } = kept
  return [principal, route, key, fingerprint, status, response, createdMs]
}

export function* readNumber(sql: string): Steps<number> {
  const [row] = yield { sql, params: [] }
  return row ? int(row, 'number') : 0
}
