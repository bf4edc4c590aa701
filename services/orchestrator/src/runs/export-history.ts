import { Readable } from 'node:stream'
import { type Event, isRunEvent } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import { withValues } from '@kyros/store/event-payloads'
import type { RunRecord, Store } from '@kyros/store/store'
import { readRunEvents } from '../past/read-run-events.ts'
import { foldPresent, getRunRecord } from './get-run.ts'
import { readPayload, withPayloads } from './read-payload.ts'

/**
 * All that a replay needs, as JSON that is made while it is read: the run, the source of the bundle that ran (empty
 * when it is not kept here), and the events up to now, with the large values that they refer to. `shown` makes of each
 * piece what the caller may read. @throws run_not_found
 */
export async function exportHistory(
  store: Store,
  id: string,
  shown: (text: string) => Promise<string>,
): Promise<Readable> {
  const record = await getRunRecord(store, id)
  return Readable.from(showing(writeHistory(store, record), shown), { objectMode: false })
}

/** Piece by piece: each holds the run or an event whole. */
async function* showing(pieces: AsyncGenerator<string>, shown: (text: string) => Promise<string>) {
  for await (const piece of pieces) yield shown(piece)
}

async function* writeHistory(store: Store, record: RunRecord): AsyncGenerator<string> {
  const run = await withPayloads(store, await foldPresent(store, record))
  const definition = await store.definitions.get(run.definition)
  yield `{"run":${JSON.stringify(run)},"definition":${JSON.stringify(definition?.source ?? '')},"events":[`
  let separator = ''
  for await (const page of readRunEvents(store, record.id, { runSeq: record.run_seq })) {
    for (const event of page) {
      yield `${separator}${JSON.stringify(await withWhole(store, event))}`
      separator = ','
    }
  }
  yield ']}'
}

/** The event with its large values put in. */
async function withWhole(store: Store, event: Event): Promise<Event> {
  if (!isRunEvent(event)) return event
  // What stands behind a reference was JSON when it was put away.
  const whole = await withValues(event, async (stored) => (await readPayload(store, stored)) as Json)
  return { ...event, data: whole.data }
}
