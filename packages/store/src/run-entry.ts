import type { RunEvent } from '@kyros/contract/event'
import type { Failure } from '@kyros/contract/run'
import { applyToState, emptyRunState, type RunState } from '@kyros/contract/run-state'
import { type RunStatus, runStatuses } from '@kyros/contract/run-status'
import type { NewRun, NewRunEvent } from './command.ts'
import { int, intOrNull, type Row, type SqlValue, text, textOrNull } from './statement.ts'

/** What the writer knows of a run. It stays in memory while the run is hot, so that no append reads it again. */
export type RunEntry = {
  /** 0 until the run's own batch has numbered it. */
  ref: number
  readonly id: string
  readonly jobId: string
  latest: boolean
  state: RunState
  /** `state.last_seq` counts from the start of the segment, because the segment has no numbers yet. */
  provisional: boolean
  result: string | null
  updatedMs: number
  logLines: number
  /** The status under which the counters know the run. */
  countedAs: RunStatus | null
}

/** The columns that `runFromRow` needs. */
export const entryColumns = `ref, id, job_id, latest, status, reason, reason_detail, waiting_until, cancel_requested,
  started_ms, completed_ms, updated_ms, last_seq, run_seq, steps_total, steps_completed, log_lines, error`

export function newEntry(run: NewRun): RunEntry {
  return {
    ref: 0,
    id: run.id,
    jobId: run.jobId,
    latest: true,
    state: emptyRunState,
    provisional: false,
    result: null,
    updatedMs: run.createdMs,
    logLines: 0,
    countedAs: null,
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
    logLines: int(row, 'log_lines'),
    countedAs: state.status,
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
  }
}

/** Folds one event, numbered within its segment, into the entry. */
export function fold(entry: RunEntry, event: NewRunEvent, provisionalSeq: number): void {
  // NewRunEvent and RunEvent pair the same types with the same data; a spread loses that pairing for the compiler.
  const numbered = {
    type: event.type,
    data: event.data,
    seq: provisionalSeq,
    run_seq: entry.state.run_seq + 1,
    run_id: entry.id,
    time: iso(event.timeMs),
  } as RunEvent
  const { result, ...state }: RunState & { result?: unknown } = applyToState(entry.state, numbered)
  if (result !== undefined) entry.result = JSON.stringify(result)
  entry.state = state
  entry.provisional = true
  entry.updatedMs = event.timeMs
}

/** The columns of a run that its creation fixes, in the order of bulk.ts. */
export function fixedColumns(run: NewRun, input: string | null): SqlValue[] {
  return [
    ...[run.id, run.jobId, run.workflow, run.version, run.definition],
    ...[run.attempt, run.maxRetries, run.timeoutSeconds, input],
    ...[run.createdBy, run.createdByRole, run.createdMs],
  ]
}

/** The columns of a run that events move, in the order of bulk.ts. */
export function stateColumns(entry: RunEntry): SqlValue[] {
  const { state } = entry
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
    entry.logLines,
    state.error === null ? null : JSON.stringify(state.error),
    entry.result,
  ]
}

export function iso(ms: number): string {
  return new Date(ms).toISOString()
}

export function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : iso(ms)
}

function msOrNull(time: string | null): number | null {
  return time === null ? null : Date.parse(time)
}

/** Only the writer fills this column, with what the contract's fold made. */
export function failure(json: string | null): Failure | null {
  return json === null ? null : JSON.parse(json)
}
