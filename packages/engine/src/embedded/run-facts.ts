import type { Json } from '@kyros/contract/json'
import type { NewRun } from '@kyros/store/command'
import type { RunRecord, Store } from '@kyros/store/store'
import { fromStored } from '@kyros/store/stored-value'
import type { Principal } from '../engine.ts'
import type { History } from './history.ts'

/** What never changes about a run. */
export type RunFacts = {
  runId: string
  workflow: string
  version: string
  /** Hash of its bundle; empty while nobody decided what to run. */
  definition: string
  attempt: number
  /** Whose dice it rolls, where not its own: a fork those of the run that made what it took over. */
  seed?: string
  maxRetries: number
  timeoutSeconds: number
  input: Json
  /** That of its job. */
  priority: RunRecord['priority']
  principal: Principal
  /** The trace of the request that asked for it. */
  traceparent?: string
}

/** What a record has to say of a run for its facts. */
export type FactsRecord = Pick<
  RunRecord,
  | ('id' | 'type' | 'version' | 'definition' | 'attempt' | 'max_retries' | 'timeout_seconds' | 'input')
  | ('priority' | 'created_by' | 'created_by_role')
>

/** As the record has them: a large input may be a reference. */
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

/** What a replay of this history has to see. @throws StoredValueLost */
export async function readFacts(
  record: FactsRecord,
  { origin }: Pick<History, 'origin'>,
  { blobs }: Pick<Store, 'blobs'>,
): Promise<RunFacts> {
  const facts = { ...factsOf(record), ...seenBy(origin) }
  return { ...facts, input: await fromStored(facts.input, blobs) }
}

/** What a definition sees of its run that is not to change under what a fork took over. */
export function seenBy(origin: History['origin']): { seed?: string; attempt?: number } {
  return origin === undefined ? {} : { seed: origin.run_id, attempt: origin.attempt }
}

/** The facts of a run that is about to be committed, or just was. `input`: as the definition sees it. */
export function factsOfNew(run: NewRun, priority: RunRecord['priority'], input: Json): RunFacts {
  const { id: runId, workflow, version, definition, attempt, maxRetries, timeoutSeconds } = run
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
