import type { CarriedSignal, RunEvent } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import type { NewRunEvent } from './command.ts'
import { isBlobReference } from './stored-value.ts'

type AnyRunEvent = NewRunEvent | RunEvent

/** Gives the value behind what an event holds. */
export type ReadStored = (stored: Json) => Promise<Json>

/** The values of an event that came from definitions, steps and callers: any of them may lie in a blob. */
export function payloadsOf(event: AnyRunEvent): Json[] {
  switch (event.type) {
    case 'run.created':
    case 'step.scheduled':
      return [event.data.input]
    case 'run.continued': {
      const { input, loop, carried } = event.data
      return [input, ...(loop === undefined ? [] : [loop.state]), ...carried.map(({ payload }) => payload)]
    }
    case 'step.completed':
      return [event.data.output]
    case 'signal.received':
    case 'waitpoint.completed':
    case 'update.accepted':
      return [event.data.payload]
    case 'run.completed':
    case 'child.completed':
    case 'update.completed':
      return [event.data.result]
    default:
      return []
  }
}

/** True when not all values of the event stand in it. */
export function hasValueInBlob(event: AnyRunEvent): boolean {
  for (const value of payloadsOf(event)) if (isBlobReference(value)) return true
  return false
}

/** The event with its values in place of references to them. */
export async function withValues<E extends AnyRunEvent>(event: E, read: ReadStored): Promise<E> {
  if (!hasValueInBlob(event)) return event
  const data: { [field: string]: unknown } = { ...event.data }
  await putValues(event, data, read)
  // Border cast: the same event with values in place of references to them.
  return { ...event, data } as E
}

async function putValues(
  event: AnyRunEvent,
  data: { [field: string]: unknown },
  read: ReadStored,
): Promise<void> {
  switch (event.type) {
    case 'run.created':
    case 'step.scheduled':
      data.input = await read(event.data.input)
      return
    case 'run.continued': {
      const { input, loop, carried } = event.data
      data.input = await read(input)
      if (loop !== undefined) data.loop = { state: await read(loop.state) }
      data.carried = await withSignals(carried, read)
      return
    }
    case 'step.completed':
      data.output = await read(event.data.output)
      return
    case 'signal.received':
    case 'waitpoint.completed':
    case 'update.accepted':
      data.payload = await read(event.data.payload)
      return
    case 'run.completed':
    case 'child.completed':
    case 'update.completed':
      data.result = await read(event.data.result)
      return
    default:
  }
}

async function withSignals(carried: readonly CarriedSignal[], read: ReadStored): Promise<CarriedSignal[]> {
  const whole: CarriedSignal[] = []
  for (const { signal, payload } of carried) whole.push({ signal, payload: await read(payload) })
  return whole
}
