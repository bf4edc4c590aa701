import type { JsonObject } from '@kyros/contract/json'
import { readHead, readLastRef, readNumber } from './batch.ts'
import { factsOf, jobCreated, type KeptJob, type KeptRun, type PackedFact, unpack } from './facts.ts'
import { Ledger, projectedKey } from './ledger.ts'
import { entryColumns, entryFromRow, foldFacts, newEntry, type RunEntry } from './run-entry.ts'
import {
  type Dialect,
  int,
  intOrNull,
  type Row,
  type SqlValue,
  type Steps,
  text,
  textOrNull,
} from './statement.ts'

const rowsAtOnce = 1_000

/**
 * Folds what the journal has and the projections do not: after a crash, or when the memory of the writer was lost.
 * Some rows at a time, each step in the transaction of the caller; true when there may be more.
 */
export function* healSome(ledger: Ledger): Steps<boolean> {
  const from = yield* readProjected()
  if (from === undefined) return false
  const rows = yield {
    sql: `SELECT seq, run, run_seq, prev, data FROM events WHERE seq > ? AND run IS NOT NULL ORDER BY seq LIMIT ?`,
    params: [from, rowsAtOnce],
  }
  const entries = new Map<number, RunEntry>()
  for (const row of rows) {
    const entry = entries.get(int(row, 'run')) ?? (yield* findEntry(ledger, row))
    if (entry === undefined) continue
    entries.set(entry.ref, entry)
    const facts = factsOf(text(row, 'data'))
    foldFacts(entry, facts, int(row, 'seq') - facts.count + 1)
    ledger.change(entry)
  }
  const last = rows.at(-1)
  if (last === undefined) return false
  yield* ledger.project(int(last, 'seq'))
  ledger.projected()
  return rows.length === rowsAtOnce
}

/**
 * Leaves nothing to fold, in the transaction of the caller: for a database that is worked on as a whole, or that comes
 * from the other dialect.
 */
export function* healAll(dialect: Dialect): Steps<void> {
  const ledger = new Ledger(dialect)
  while (yield* healSome(ledger)) ledger.clear()
  yield { sql: `DELETE FROM settings WHERE key = '${projectedKey}'`, params: [] }
  if (dialect === 'postgres') return
  const head = yield* readNumber(readHead)
  yield { sql: `INSERT INTO settings (key, value) VALUES ('${projectedKey}', ?)`, params: [String(head)] }
}

/** The last number that the projections hold; undefined where they never lag. */
export function* readProjected(): Steps<number | undefined> {
  const [row] = yield { sql: `SELECT value FROM settings WHERE key = '${projectedKey}'`, params: [] }
  return row && Number(text(row, 'value'))
}

/** What a writer on SQLite has to know before it begins. */
export function* readNumbers(ledger: Ledger): Steps<void> {
  ledger.head = yield* readNumber(readHead)
  ledger.lastRef = yield* readNumber(readLastRef)
  ledger.lastRunId = yield* readText('SELECT MAX(id) AS id FROM runs')
  ledger.lastJobId = yield* readText('SELECT MAX(id) AS id FROM jobs')
}

function* readText(sql: string): Steps<string> {
  const [row] = yield { sql, params: [] }
  return (row && textOrNull(row, 'id')) ?? ''
}

/** Undefined for a run that is gone. */
function* findEntry(ledger: Ledger, row: Row): Steps<RunEntry | undefined> {
  const ref = int(row, 'run')
  const [known] = yield { sql: `SELECT ${entryColumns} FROM runs WHERE ref = ?`, params: [ref] }
  if (known) return entryFromRow(known)
  if (intOrNull(row, 'prev') !== null) return undefined
  const entry = entryOfFirstRow(ref, unpack(text(row, 'data')))
  if (entry !== undefined) ledger.add(entry, 0)
  return entry
}

/** A run, and its job, as the row that began them says. */
function entryOfFirstRow(ref: number, facts: readonly PackedFact[]): RunEntry | undefined {
  const [first, second] = facts
  const job = first?.[0] === jobCreated ? first : undefined
  const run = job === undefined ? first : second
  // The first fact of a run is written with what is kept of it (packSubmission).
  const kept = run?.[4] as KeptRun | undefined
  if (run === undefined || kept === undefined) return undefined
  const [, createdMs, data] = run
  const entry = newEntry(kept.id, kept.job_id, createdMs)
  entry.ref = ref
  const jobInput = job && keptInput(job, data)
  const input = JSON.stringify(data.input ?? null)
  entry.newRun = [
    ...[kept.id, kept.job_id, word(data, 'workflow'), word(data, 'version'), word(data, 'definition')],
    ...[number(data, 'attempt'), number(data, 'max_retries'), number(data, 'timeout_seconds')],
    ...[input === jobInput ? null : input, word(data, 'created_by'), kept.role, createdMs],
    kept.engine ?? 'embedded',
  ]
  if (job !== undefined) entry.newJob = jobColumns(job, jobInput ?? input)
  return entry
}

function keptInput(job: PackedFact, runData: JsonObject): string {
  // The fact of a job is written with what is kept of it (packJob).
  const kept = job[4] as KeptJob
  return JSON.stringify('input' in kept ? kept.input : (runData.input ?? null))
}

/** In the order of wire.ts. */
function jobColumns([, createdMs, data, actor, kept]: PackedFact, input: string): SqlValue[] {
  // As above.
  const { task, metadata } = kept as KeptJob
  return [
    ...[word(data, 'title'), task, optional(data, 'agent_id'), optional(data, 'workflow')],
    ...[word(data, 'priority'), word(data, 'project_id'), actor ?? '', createdMs, input],
    JSON.stringify(metadata),
  ]
}

function word(data: JsonObject, name: string): string {
  const value = data[name]
  return typeof value === 'string' ? value : ''
}

function optional(data: JsonObject, name: string): string | null {
  const value = data[name]
  return typeof value === 'string' ? value : null
}

function number(data: JsonObject, name: string): number {
  const value = data[name]
  return typeof value === 'number' ? value : 0
}
