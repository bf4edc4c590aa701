import type { Json } from '@kyros/contract/json'
import type { NewRun } from '@kyros/store/command'
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
  /** That of its job. */
  priority: RunRecord['priority']
  principal: Principal
}

/** What a record has to say of a run for its facts. */
export type FactsRecord = Pick<
  RunRecord,
  | ('id' | 'type' | 'version' | 'definition' | 'attempt' | 'max_retries' | 'timeout_seconds' | 'input')
  | ('priority' | 'created_by' | 'created_by_role')
>

export function factsOf(record: FactsRecord): RunFacts {
  return {
    runId: record.id,
    workflow: record.type,
    version: record.version,
    definition: record.definition,
    attempt: record.attempt,
    maxRetries: record.max_retries,
    timeoutSeconds: record.timeout_seconds,
    input: record.input,
    priority: record.priority,
    principal: { id: record.created_by, role: record.created_by_role },
  }
}

/** The facts of a run that is about to be committed, or just was. */
export function factsOfNew(run: NewRun, priority: RunRecord['priority']): RunFacts {
  const { id: runId, workflow, version, definition, attempt, maxRetries, timeoutSeconds, input } = run
  const principal = { id: run.createdBy, role: run.createdByRole }
  return {
    runId,
    workflow,
    version,
    definition,
    attempt,
    maxRetries,
    timeoutSeconds,
    input,
    priority,
    principal,
  }
}
