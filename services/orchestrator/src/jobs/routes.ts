import { api } from '@kyros/contract/api'
import { registerRoute } from '@kyros/kernel/route'
import type { FastifyInstance } from 'fastify'
import type { ApiContext } from '../context.ts'
import { streamEvents } from '../events/stream-events.ts'
import { entityTag, sendTagged } from '../http/entity-tag.ts'
import { wantsEventStream } from '../http/negotiate.ts'
import { fieldProblem } from '../http/plain-text.ts'
import { streamSse } from '../http/stream-sse.ts'
import { listPastJobs } from '../past/list-past.ts'
import { resolveMoment } from '../past/resolve-moment.ts'
import { cancelJob } from './cancel-job.ts'
import { deleteJob } from './delete-job.ts'
import { getJob } from './get-job.ts'
import { retryJob } from './retry-job.ts'
import { setJobStatus } from './set-job-status.ts'
import { submitJob } from './submit-job.ts'

export function registerJobRoutes(app: FastifyInstance, context: ApiContext): void {
  registerReads(app, context)
  registerRoute(app, api.submitJob, async ({ body, caller, idempotency, request, reply }) => {
    const { traceparent } = request
    const job = await submitJob(context, body, caller, { idempotency, traceparent })
    reply.headers({ location: `/api/v1/jobs/${job.id}`, etag: entityTag(job) })
    return job
  })
  registerRoute(app, api.cancelJob, ({ params, body, caller }) =>
    cancelJob(context, params.id, body.reason, caller),
  )
  registerRoute(app, api.retryJob, async ({ params, caller, idempotency, request, reply }) => {
    const { traceparent } = request
    const job = await retryJob(context, params.id, caller, { idempotency, traceparent })
    reply.headers({ location: `/api/v1/jobs/${job.id}`, etag: entityTag(job) })
    return job
  })
  registerRoute(app, api.setJobStatus, ({ params, query, body, caller }) => {
    const status = body.status ?? query.status
    if (status === undefined) throw fieldProblem('/status', 'is missing: send it in the body or in the query')
    return setJobStatus(context, params.id, status, caller)
  })
  registerRoute(app, api.deleteJob, ({ params, query, caller }) =>
    deleteJob(context, params.id, query.force === true, caller),
  )
}

function registerReads(app: FastifyInstance, context: ApiContext): void {
  const { store } = context
  registerRoute(app, api.listJobs, async ({ query: { as_of, ...query }, request, reply }) => {
    const untilSeq = await resolveMoment(context, as_of)
    const { items, nextCursor, total } =
      untilSeq === undefined ? await store.jobs.list(query) : await listPastJobs(store, query, untilSeq)
    return sendTagged(request, reply, { jobs: items, next_cursor: nextCursor, total })
  })
  registerRoute(app, api.getJob, async ({ params, query, request, reply }) =>
    sendTagged(request, reply, await getJob(store, params.id, await resolveMoment(context, query.as_of))),
  )
  registerRoute(app, api.listJobEvents, async ({ params, query, caller, request, reply }) => {
    const { id } = await getJob(store, params.id)
    if (wantsEventStream(request, reply)) {
      const input = { request, reply, caller }
      return streamSse(context, input, (stream) => streamEvents(stream, store, caller.role, { jobId: id }, 0))
    }
    const { items, nextCursor } = await store.events.list({ ...query, job_id: id })
    return { events: items, next_cursor: nextCursor }
  })
}
