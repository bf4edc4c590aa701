import { api } from '@kyros/contract/api'
import { mayReadEvent } from '@kyros/contract/event'
import { isProblem, problem } from '@kyros/contract/problem'
import { type RouteOptions, registerRoute } from '@kyros/kernel/route'
import type { FastifyInstance } from 'fastify'
import type { ApiContext } from '../context.ts'
import { emitEvent } from '../events/emit-event.ts'
import { streamEvents } from '../events/stream-events.ts'
import { wantsEventStream } from '../http/negotiate.ts'
import { streamSse } from '../http/stream-sse.ts'
import { submitJob } from '../jobs/submit-job.ts'

type ServePage = NonNullable<RouteOptions['before']>

/** How many events the older `GET /events` shows. */
const lastEvents = 100

/** The shapes that the documents' older clients speak, over the same use cases; browsers get the console here. */
export async function registerOlderRoutes(
  app: FastifyInstance,
  context: ApiContext,
  servePage: ServePage,
): Promise<void> {
  // A scope of its own: here a body of the wrong shape is a 400, as the older documents say.
  await app.register(async (scope) => {
    scope.setErrorHandler((error) => {
      throw isProblem(error, 'request_invalid')
        ? problem('request_malformed', {
            detail: error.message,
            ...(error.errors && { errors: error.errors }),
          })
        : error
    })
    registerOlderChanges(scope, context)
    registerOlderReads(scope, context, servePage)
  })
}

function registerOlderChanges(app: FastifyInstance, context: ApiContext): void {
  registerRoute(app, api.submitOlderJob, async ({ body, caller, idempotency, request }) => {
    const { agent_id, task } = body
    const { traceparent } = request
    const { id } = await submitJob(context, { agent_id, task }, caller, { idempotency, traceparent })
    return { job_id: id, status: 'accepted' as const }
  })
  registerRoute(app, api.emitOlderEvent, async ({ body, caller, idempotency }) => {
    const { type, payload } = body
    await emitEvent(context, { type, payload }, caller, idempotency)
    return { status: 'emitted' as const }
  })
}

function registerOlderReads(app: FastifyInstance, context: ApiContext, servePage: ServePage): void {
  const { store } = context
  registerRoute(
    app,
    api.listOlderJobs,
    async ({ reply }) => {
      reply.header('vary', 'Accept')
      const { items } = await store.jobs.list({ limit: 200 })
      return { jobs: items }
    },
    { before: servePage },
  )
  registerRoute(
    app,
    api.listOlderEvents,
    async ({ request, reply, caller }) => {
      if (wantsEventStream(request, reply)) {
        return streamSse(context, { request, reply, caller }, (stream) =>
          streamEvents(stream, store, caller.role, {}),
        )
      }
      const head = await store.events.head()
      const { items } = await store.events.list({ after: Math.max(0, head - lastEvents), limit: lastEvents })
      return {
        status: 'sse_stream_started',
        events: items.filter((event) => mayReadEvent(caller.role, event)),
      }
    },
    { before: servePage },
  )
}
