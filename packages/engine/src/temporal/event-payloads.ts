import type { Json } from '@kyros/contract/json'
import type { NewRunEvent } from '@kyros/store/command'
import type { Store } from '@kyros/store/store'
import { PayloadError } from '../embedded/json-value.ts'
import { isSmall, toStored } from '../embedded/payload.ts'

type Blobs = Pick<Store['blobs'], 'put'>

const fields = ['input', 'output', 'result', 'payload'] as const

/** Stands in the log for a value of more than 1 MB: it is in Temporal's history alone. */
export const notKept = '(larger than 1 MB, and so not kept in the log)'

/** The event as the log keeps it: large values lie beside it, and what is too large for that is `notKept`. */
export async function storedPayloads(event: NewRunEvent, blobs: Blobs): Promise<NewRunEvent> {
  const data: { [name: string]: unknown } = event.data
  const changed = event.type === 'run.continued' ? await storedPart(event.data, blobs) : {}
  for (const field of fields) {
    if (!Object.hasOwn(data, field)) continue
    // Border cast: these fields hold JSON, by the contract of the events.
    const value = data[field] as Json
    if (!isSmall(value)) changed[field] = await stored(value, blobs)
  }
  if (Object.keys(changed).length === 0) return event
  // Border cast: what was changed has the type that it had.
  return { ...event, data: { ...data, ...changed } } as NewRunEvent
}

type Part = Extract<NewRunEvent, { type: 'run.continued' }>['data']

/** What a part took over of the one before. */
async function storedPart({ carried, loop }: Part, blobs: Blobs): Promise<{ [name: string]: unknown }> {
  const changed: { [name: string]: unknown } = {}
  if (loop !== undefined && !isSmall(loop.state)) changed.loop = { state: await stored(loop.state, blobs) }
  if (carried.every(({ payload }) => isSmall(payload))) return changed
  const signals = []
  for (const { signal, payload } of carried) signals.push({ signal, payload: await stored(payload, blobs) })
  changed.carried = signals
  return changed
}

/** A history cannot be changed: were this to throw, the log of the run would stand still for ever. */
async function stored(value: Json, blobs: Blobs): Promise<Json> {
  try {
    return await toStored(value, 'It', blobs)
  } catch (error) {
    if (!(error instanceof PayloadError)) throw error
    return notKept
  }
}
