import { Readable } from 'node:stream'
import type { Event } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import type { RunRecord, Store } from '@kyros/store/store'
import { readRunEvents } from '../past/read-run-events.ts'
import { foldPresent, getRunRecord } from './get-run.ts'
import { readPayload, withPayloads } from './read-payload.ts'

/**
 * All that a replay needs, as JSON that is made while it is read: the run, the source of the bundle that ran (empty
 * when it is not kept here), and the events up to now, with the large values that they refer to. @throws run_not_found
 */
export async function exportHistory(store: Store, id: string): Promise<Readable> {
  return Readable.from(writeHistory(store, await getRunRecord(store, id)), { objectMode: false })
}

async function* writeHistory(store: Store, record: RunRecord): AsyncGenerator<string> {
  const run = await withPayloads(store, await foldPresent(store, record))
  const definition = await store.definitions.get(run.definition)
  yield `{"run":${JSON.stringify(run)},"definition":${JSON.stringify(definition?.source ?? '')},"events":[`
  let separator = ''
  for await (const page of readRunEvents(store, record.id, { runSeq: record.run_seq })) {
    for (const event of page) {
      yield `${separator}${JSON.stringify(await withValues(store, event))}`
      separator = ','
    }
  }
  yield ']}'
}

/** The event with its large values put in. */
async function withValues(store: Store, event: Event): Promise<Event> {
  const data: { [name: string]: Json } = {}
  for (const [name, value] of Object.entries(event.data)) {
    const whole = await readPayload(store, value)
    // What stands behind a reference was JSON when it was put away.
    data[name] = whole as Json
  }
  return { ...event, data }
}
