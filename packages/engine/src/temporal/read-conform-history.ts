import { isRunEvent, type RunEvent } from '@kyros/contract/event'
import type { JsonObject } from '@kyros/contract/json'
import { problem } from '@kyros/contract/problem'
import type { Store } from '@kyros/store/store'
import { withPayloads } from '../embedded/history.ts'
import { readFacts } from '../embedded/run-facts.ts'
import type { ConvertedRun } from './convert-history.ts'

/** A recorded run with the bundle to replay it on. */
export type ConformHistory = {
  run: ConvertedRun
  /** The bundle: one ESM file. */
  source: string
  /** sha256 of the bundle. */
  definition: string
  events: readonly RunEvent[]
}

/** A run that was on a cluster: what that has of it, and the code that moved it. */
export type ClusterHistory = {
  run: Pick<ConvertedRun, 'runId' | 'workflow'>
  definition: string
  build: string
  code: string
  /** As the engine's `executions` gives them. */
  histories: readonly JsonObject[]
}

/** The recorded history of a stored run, ready for `conform`. @throws run_not_found */
export async function readConformHistory(store: Store, runId: string): Promise<ConformHistory> {
  const record = await store.runs.get(runId)
  if (record === undefined) throw problem('run_not_found', { detail: `There is no run ${runId}.` })
  const stored = await store.definitions.get(record.definition)
  if (stored === undefined) {
    const detail = `The run ${runId} has no stored definition, so there is nothing to replay it on.`
    throw problem('run_not_found', { detail })
  }
  const events: RunEvent[] = []
  for (const event of await store.events.ofRun(runId)) {
    if (isRunEvent(event)) events.push(await withPayloads(event, store))
  }
  const { type: workflow, version } = record
  const { attempt, input } = await readFacts(record, { origin: undefined }, store)
  return {
    run: { runId, workflow, version, attempt, input },
    source: stored.source,
    definition: stored.hash,
    events,
  }
}
