import type { RunEvent } from '@kyros/contract/event'
import type { Failure } from '@kyros/contract/run'
import { emptyRunState, foldIntoState, type RunState } from '@kyros/contract/run-state'
import { type RunStatus, runStatuses } from '@kyros/contract/run-status'
import { type Facts, isPlain, jobCreatedCode, type PackedFact, typeOf, unpack } from './facts.ts'
import { int, intOrNull, type Row, type SqlValue, text, textOrNull } from './statement.ts'

/** What the writer knows of a run. It stays in memory while the run is hot, so that no append reads it again. */
export type RunEntry = {
  /** 0 until the run's own batch has numbered it. */
  ref: number
  readonly id: string
  readonly jobId: string
  latest: boolean
  /** Owned by the entry and changed in place. */
  readonly state: FoldedState
  /** `state.last_seq` counts from the start of the segment, because the segment has no numbers yet. */
  provisional: boolean
  /** What the next write of the run's row brings besides. */
  result: string | null
  updatedMs: number
  /** Undefined until somebody appends a line. */
  logLines: number | undefined
  /** Of those, how many are not in the table yet. */
  pendingLines: number
  /** The status under which the counters know the run. */
  countedAs: RunStatus | null
  /** Columns of a row that is not in its table yet. */
  newRun: SqlValue[] | undefined
  newJob: SqlValue[] | undefined
}

/** What the fold adds when the run goes on with another bundle or engine, and when it has completed. */
type FoldedState = RunState & {
  definition?: string
  version?: string
  engine?: 'temporal'
  temporal_id?: string
  result?: unknown
}

/** The columns that `entryFromRow` needs. */
export const entryColumns = `ref, id, job_id, latest, status, reason, reason_detail, waiting_until, cancel_requested,
  started_ms, completed_ms, updated_ms, last_seq, run_seq, steps_total, steps_completed, error, late`

export function newEntry(id: string, jobId: string, createdMs: number): RunEntry {
  return {
    ref: 0,
    id,
    jobId,
    latest: true,
    state: { ...emptyRunState },
    provisional: false,
    result: null,
    updatedMs: createdMs,
    logLines: 0,
    pendingLines: 0,
    countedAs: null,
    newRun: undefined,
    newJob: undefined,
  }
}

export function runStatus(row: Row): RunStatus {
  const status = text(row, 'status')
  const known = runStatuses.find((candidate) => candidate === status)
  if (known === undefined) throw new TypeError(`Unknown status ${status}`)
  return known
}

export function entryFromRow(row: Row): RunEntry {
  const state = stateFromRow(row)
  return {
    ref: int(row, 'ref'),
    id: text(row, 'id'),
    jobId: text(row, 'job_id'),
    latest: int(row, 'latest') === 1,
    state,
    provisional: false,
    result: null,
    updatedMs: int(row, 'updated_ms'),
    logLines: undefined,
    pendingLines: 0,
    countedAs: state.status,
    newRun: undefined,
    newJob: undefined,
  }
}

/** The projection's columns as the contract says a state. */
export function stateFromRow(row: Row): RunState {
  return {
    status: runStatus(row),
    reason: textOrNull(row, 'reason'),
    reason_detail: textOrNull(row, 'reason_detail'),
    waiting_until: textOrNull(row, 'waiting_until'),
    cancel_requested: int(row, 'cancel_requested') === 1,
    started_at: isoOrNull(intOrNull(row, 'started_ms')),
    completed_at: isoOrNull(intOrNull(row, 'completed_ms')),
    last_seq: int(row, 'last_seq'),
    run_seq: int(row, 'run_seq'),
    steps_total: int(row, 'steps_total'),
    steps_completed: int(row, 'steps_completed'),
    error: failure(textOrNull(row, 'error')),
    ...late(textOrNull(row, 'late')),
  }
}

const noData = {}

/**
 * Folds what an append brings into the entry; `firstSeq` may be provisional. Nothing is parsed unless the state
 * depends on it.
 */
export function foldFacts(entry: RunEntry, facts: Facts, firstSeq: number): void {
  const { state } = entry
  let parsed: readonly PackedFact[] | undefined
  for (let index = 0; index < facts.count; index++) {
    const code = facts.codes[index] ?? jobCreatedCode
    if (code === jobCreatedCode) continue
    if (!isPlain[code]) parsed ??= unpack(facts.text)
    const timeMs = facts.times[index] ?? 0
    const event = {
      type: typeOf(code),
      data: parsed?.[index]?.[2] ?? noData,
      seq: firstSeq + index,
      run_seq: state.run_seq + 1,
      run_id: entry.id,
      time: isoCached(timeMs),
    } as RunEvent // Type and data were paired by NewRunEvent; taken apart the compiler no longer sees it.
    foldIntoState(state, event)
    entry.updatedMs = timeMs
  }
  keepResult(entry)
}

function keepResult(entry: RunEntry): void {
  const { state } = entry
  if (state.result === undefined) return
  entry.result = JSON.stringify(state.result)
  // Not deleted: an object that loses a property is slower ever after.
  state.result = undefined
}

/** The columns of a run that events move, in the order of bulk.ts. */
export function stateColumns({ state, ...entry }: RunEntry): SqlValue[] {
  return [
    entry.latest ? 1 : 0,
    state.status,
    state.reason,
    state.reason_detail,
    state.waiting_until,
    state.cancel_requested ? 1 : 0,
    msOrNull(state.started_at),
    msOrNull(state.completed_at),
    entry.updatedMs,
    state.last_seq,
    state.run_seq,
    state.steps_total,
    state.steps_completed,
    state.error === null ? null : JSON.stringify(state.error),
    lateColumn(state),
    entry.result,
  ]
}

/** What only some runs have, as one column. */
function lateColumn(state: RunState): string | null {
  const { attributes, budget, continued, forked_from, paused, stirred } = state
  const late = { attributes, budget, continued, forked_from, paused, stirred }
  return Object.values(late).every((value) => value === undefined) ? null : JSON.stringify(late)
}

/** Only the writer fills this column, with what the contract's fold made. */
function late(
  json: string | null,
): Pick<RunState, 'attributes' | 'budget' | 'continued' | 'forked_from' | 'paused' | 'stirred'> {
  return json === null ? {} : JSON.parse(json)
}

export function iso(ms: number): string {
  return new Date(ms).toISOString()
}

let cachedMs = Number.NaN
let cachedIso = ''

/** The same as `iso`; what comes together mostly has one time. */
export function isoCached(ms: number): string {
  if (ms !== cachedMs) {
    cachedIso = iso(ms)
    cachedMs = ms
  }
  return cachedIso
}

export function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : isoCached(ms)
}

function msOrNull(time: string | null): number | null {
  if (time === null) return null
  return time === cachedIso ? cachedMs : Date.parse(time)
}

/** Only the writer fills this column, with what the contract's fold made. */
export function failure(json: string | null): Failure | null {
  return json === null ? null : JSON.parse(json)
}
