import type { Json } from '@kyros/contract/json'
import type { RunRecord } from '@kyros/store/store'
import type { Principal } from '../engine.ts'

/** What never changes about a run. */
export type RunFacts = {
  runId: string
  workflow: string
  version: string
  /** Hash of its bundle; empty while nobody decided what to run. */
  definition: string
  attempt: number
  maxRetries: number
  timeoutSeconds: number
  input: Json
  principal: Principal
}

export function factsOf(record: RunRecord): RunFacts {
  return {
    runId: record.id,
    workflow: record.type,
    version: record.version,
    definition: record.definition,
    attempt: record.attempt,
    maxRetries: record.max_retries,
    timeoutSeconds: record.timeout_seconds,
    input: record.input,
    principal: { id: record.created_by, role: record.created_by_role },
  }
}
