import type { Json } from '@kyros/contract/json'
import type { NewRunEvent } from '@kyros/store/command'
import type { Store } from '@kyros/store/store'
import { isSmall, toStored } from '../embedded/payload.ts'

const fields = ['input', 'output', 'result', 'payload'] as const

/** The event as the log keeps it: large values lie beside it. */
export async function storedPayloads(
  event: NewRunEvent,
  blobs: Pick<Store['blobs'], 'put'>,
): Promise<NewRunEvent> {
  const data: { [name: string]: unknown } = event.data
  let changed: { [name: string]: unknown } | undefined
  for (const field of fields) {
    if (!Object.hasOwn(data, field)) continue
    // Border cast: these fields hold JSON, by the contract of the events.
    const value = data[field] as Json
    if (isSmall(value)) continue
    changed ??= { ...data }
    changed[field] = await toStored(value, `The ${field}`, blobs)
  }
  // Border cast: what was changed has the type that it had.
  return changed === undefined ? event : ({ ...event, data: changed } as NewRunEvent)
}
