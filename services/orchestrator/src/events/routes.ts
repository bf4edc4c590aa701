import { api } from '@kyros/contract/api'
import { mayReadEvent } from '@kyros/contract/event'
import { registerRoute } from '@kyros/kernel/route'
import type { FollowOptions } from '@kyros/store/store'
import type { FastifyInstance } from 'fastify'
import type { ApiContext } from '../context.ts'
import { streamSse } from '../http/stream-sse.ts'
import { emitEvent } from './emit-event.ts'
import { streamBacklog, streamEvents } from './stream-events.ts'

export function registerEventRoutes(app: FastifyInstance, context: ApiContext): void {
  const { store } = context
  registerRoute(app, api.emitEvent, ({ body, caller, idempotency }) =>
    emitEvent(context, body, caller, idempotency),
  )
  registerRoute(app, api.listEvents, async ({ query, caller }) => {
    const { items, nextCursor } = await store.events.list(query)
    return { events: items.filter((event) => mayReadEvent(caller.role, event)), next_cursor: nextCursor }
  })
  registerRoute(app, api.streamEvents, ({ request, reply, caller, query }) =>
    streamSse(context, { request, reply, caller }, (stream) =>
      streamEvents(stream, store, caller.role, filterOf(query)),
    ),
  )
  registerRoute(app, api.tailEvents, ({ request, reply, caller, query }) =>
    streamSse(context, { request, reply, caller }, (stream) =>
      isOn(query.once)
        ? streamBacklog(stream, store, caller.role)
        : streamEvents(stream, store, caller.role, {}, 0),
    ),
  )
}

function filterOf(query: { type?: string; subject?: string }): Omit<FollowOptions, 'after'> {
  const { type, subject } = query
  return { ...(type !== undefined && { type }), ...(subject !== undefined && { subject }) }
}

/** `?once`, `?once=1` and `?once=true` are on; `?once=0` is what the older clients send for off. */
function isOn(flag: string | undefined): boolean {
  return flag !== undefined && flag !== '0' && flag !== 'false'
}
