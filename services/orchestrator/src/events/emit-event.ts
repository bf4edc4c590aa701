import { isReservedEventType } from '@kyros/contract/event'
import { eventId } from '@kyros/contract/id'
import type { Json, JsonObject } from '@kyros/contract/json'
import type { EventEmit } from '@kyros/contract/platform'
import { problem } from '@kyros/contract/problem'
import type { Principal } from '@kyros/engine/engine'
import type { IdempotencyKey } from '@kyros/kernel/idempotency'
import type { NewEvent } from '@kyros/store/command'
import type { ApiContext } from '../context.ts'
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
  const response = { status: 'emitted', ok: true } as const
  const idempotency = key && { ...key, status: 201, response, createdMs: timeMs }
  const written = await store.write({ kind: 'append_event', event, ...(idempotency && { idempotency }) })
  if ('seq' in written) return { id: eventId(timeMs, written.seq), seq: written.seq, ...response }
  // Only this operation keeps answers under its key, and the writer put id and number into them.
  return written.replayed.response as Emitted
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
