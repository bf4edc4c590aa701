import { roles } from '@kyros/contract/auth'
import { priorities, type RunSummary } from '@kyros/contract/run'
import type { Selectable } from 'kysely'
import { iso, stateFromRow } from '../run-entry.ts'
import type { RunRecord } from '../store.ts'
import type { Tables } from '../tables.ts'

type Runs = Selectable<Tables['runs']>
/** A run with what it takes over from its job. */
export type RunRow = Runs & { name: string; priority: string; project_id: string; job_input: string }

export function toSummary(row: Omit<RunRow, 'job_input'>): RunSummary {
  return {
    id: row.id,
    run_id: row.id,
    workflow_id: row.id,
    job_id: row.job_id,
    project_id: row.project_id,
    name: row.name,
    type: row.workflow,
    version: row.version,
    definition: row.definition,
    priority: oneOf(priorities, row.priority),
    attempt: row.attempt,
    max_retries: row.max_retries,
    timeout_seconds: row.timeout_seconds,
    created_by: row.created_by,
    created_at: iso(row.created_ms),
    ...stateFromRow(row),
    ...(row.engine === 'temporal' && { engine: row.engine, temporal_id: row.id }),
  }
}

export function toRecord(row: RunRow): RunRecord {
  return {
    ...toSummary(row),
    input: JSON.parse(row.input ?? row.job_input),
    result: row.result === null ? null : JSON.parse(row.result),
    created_by_role: oneOf(roles, row.created_by_role),
  }
}

/** A column that only the platform fills, as one of the words it may hold. */
export function oneOf<T extends string>(words: readonly T[], value: string): T {
  const word = words.find((candidate) => candidate === value)
  if (word === undefined) throw new TypeError(`${value} is none of ${words.join(', ')}`)
  return word
}
