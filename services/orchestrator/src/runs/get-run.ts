import { type Event, isRunEvent } from '@kyros/contract/event'
import { problem } from '@kyros/contract/problem'
import type { Run } from '@kyros/contract/run'
import { applyEvent, emptyRunState } from '@kyros/contract/run-state'
import type { RunRecord, Store } from '@kyros/store/store'
import { withPayloads } from './read-payload.ts'

/** @throws run_not_found */
export async function getRunRecord(store: Store, id: string): Promise<RunRecord> {
  const record = await store.runs.get(id)
  if (record === undefined) {
    throw problem('run_not_found', {
      detail: `There is no run ${id}, or its job was deleted. GET /api/v1/workflows lists the runs there are.`,
    })
  }
  return record
}

/** The run with its steps and attempts, folded from its events. @throws run_not_found */
export async function getRun(store: Store, id: string): Promise<Run> {
  const record = await getRunRecord(store, id)
  return withPayloads(store, foldRun(record, await store.events.ofRun(id)))
}

/** What is fixed comes from the record, what moves from the events alone: they are the truth of both. */
export function foldRun(record: RunRecord, events: readonly Event[]): Run {
  const { created_by_role: _internal, ...fixed } = record
  let run: Run = { ...fixed, ...emptyRunState, result: null, steps: [] }
  for (const event of events) if (isRunEvent(event)) run = applyEvent(run, event)
  return run
}
