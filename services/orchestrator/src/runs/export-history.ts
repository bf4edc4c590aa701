import type { Event } from '@kyros/contract/event'
import type { Run } from '@kyros/contract/run'
import type { Store } from '@kyros/store/store'
import { foldRun, getRunRecord } from './get-run.ts'

export type History = {
  run: Run
  /** Source of the bundle that ran: with the events, all that a replay needs. Empty when it is not kept here. */
  definition: string
  events: Event[]
}

/** @throws run_not_found */
export async function exportHistory(store: Store, id: string): Promise<History> {
  const record = await getRunRecord(store, id)
  const [events, definition] = await Promise.all([
    store.events.ofRun(id),
    store.definitions.get(record.definition),
  ])
  return { run: foldRun(record, events), definition: definition?.source ?? '', events }
}
