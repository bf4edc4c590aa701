import { type Event, isReservedEventType } from '@kyros/contract/event'
import { eventId } from '@kyros/contract/id'
import type { Json, JsonObject } from '@kyros/contract/json'
import type { EventEmit } from '@kyros/contract/platform'
import { problem } from '@kyros/contract/problem'
import type { Principal } from '@kyros/engine/engine'
import type { IdempotencyKey } from '@kyros/kernel/idempotency'
import type { NewEvent } from '@kyros/store/command'
import type { Store } from '@kyros/store/store'
import type { ApiContext } from '../context.ts'
import { keptAnswer } from '../http/kept-answer.ts'
import { fieldProblem, plainText } from '../http/plain-text.ts'

export type Emitted = { id: string; seq: number; status: 'emitted'; ok: true }

/** Subject of events whose sender names none. */
const defaultSubject = 'events'

/** Writes a caller's event into the log; durable when this resolves. @throws event_type_reserved, request_invalid */
export async function emitEvent(
  { store, clock }: Pick<ApiContext, 'store' | 'clock'>,
  body: EventEmit,
  caller: Principal,
  key?: IdempotencyKey,
): Promise<Emitted> {
  const type = typeOf(body)
  const timeMs = clock.nowMs()
  const subject = plainText('/target', body.target ?? defaultSubject)
  const event: NewEvent = { type, subject, timeMs, actor: caller.id, data: dataOf(body) }
  if (key === undefined) {
    const written = await store.write({ kind: 'append_event', event })
    if ('seq' in written) return emitted(timeMs, written.seq)
    throw new Error('the store replayed an answer to a request without a key')
  }
  // The number is not known before the commit: a repeat finds the event again behind this one.
  const response: Trace = { after: await store.events.head(), time_ms: timeMs }
  const kept = keptAnswer(key, { status: 201, response, createdMs: timeMs })
  const written = await store.write({ kind: 'append_event', event, ...kept })
  if ('seq' in written) return emitted(timeMs, written.seq)
  // Only this operation writes answers under its key.
  return findAgain(store, event, written.replayed.response as Trace)
}

type Trace = { after: number; time_ms: number }

async function findAgain(store: Store, { type, subject, actor }: NewEvent, trace: Trace): Promise<Emitted> {
  const { items } = await store.events.list({ type, subject, after: trace.after, limit: 200 })
  const isIt = (event: Event) => Date.parse(event.time) === trace.time_ms && event.actor === actor
  const found = items.find(isIt)
  if (found === undefined) throw new Error('an event that was answered is not in the log')
  return emitted(trace.time_ms, found.seq)
}

function emitted(timeMs: number, seq: number): Emitted {
  return { id: eventId(timeMs, seq), seq, status: 'emitted', ok: true }
}

function typeOf(body: EventEmit): string {
  const type = body.type ?? body.event
  if (type === undefined)
    throw fieldProblem('/type', 'is missing: send `type` (or, in the older shape, `event`)')
  if (body.type !== undefined && body.event !== undefined && body.type !== body.event) {
    throw fieldProblem('/event', 'says another type than `type`: send one of them')
  }
  if (isReservedEventType(type)) {
    const prefix = type.slice(0, type.indexOf('.') + 1)
    throw problem('event_type_reserved', {
      detail: `Only the platform writes events whose type begins with "${prefix}". Choose another prefix, for example "app.".`,
    })
  }
  return type
}

/** An object is kept as it is; anything else under `value`, because the data of an event are fields. */
function dataOf(body: EventEmit): JsonObject {
  const payload = body.payload ?? body.details ?? {}
  const isFields = typeof payload === 'object' && !Array.isArray(payload)
  // Parsed from JSON.
  return isFields ? (payload as JsonObject) : { value: payload as Json }
}
