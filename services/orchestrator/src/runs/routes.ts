import { api } from '@kyros/contract/api'
import { registerRoute } from '@kyros/kernel/route'
import type { FastifyInstance } from 'fastify'
import type { ApiContext } from '../context.ts'
import { streamEvents } from '../events/stream-events.ts'
import { sendTagged } from '../http/entity-tag.ts'
import { jsonBody } from '../http/json-body.ts'
import { wantsEventStream } from '../http/negotiate.ts'
import { streamSse } from '../http/stream-sse.ts'
import { listPastRuns } from '../past/list-past.ts'
import { resolveMoment } from '../past/resolve-moment.ts'
import { hideTokens } from '../waitpoints/hide-tokens.ts'
import { registerArtifactRoutes } from './artifact-routes.ts'
import { bulkRuns } from './bulk-runs.ts'
import { cancelRun } from './cancel-run.ts'
import { exportHistory } from './export-history.ts'
import { followLogs } from './follow-logs.ts'
import { getRun, getRunRecord } from './get-run.ts'
import { listLogs } from './list-logs.ts'
import { measureRun } from './measure-run.ts'
import { retryRun } from './retry-run.ts'
import { signalRun } from './signal-run.ts'
import { startRun } from './start-run.ts'

export function registerRunRoutes(app: FastifyInstance, context: ApiContext): void {
  registerChanges(app, context)
  registerReads(app, context)
  registerStreams(app, context)
  registerArtifactRoutes(app, context)
}

function registerChanges(app: FastifyInstance, context: ApiContext): void {
  registerRoute(app, api.startRun, async ({ body, caller, idempotency, request, reply }) => {
    const { traceparent } = request
    const started = await startRun(context, body, caller, { idempotency, traceparent })
    reply.header('location', `/api/v1/workflows/${started.run_id}`)
    return started
  })
  registerRoute(app, api.cancelRun, ({ params, body, caller }) =>
    cancelRun(context, params.id, body.reason, caller),
  )
  registerRoute(app, api.retryRun, async ({ params, caller, idempotency, request, reply }) => {
    const { traceparent } = request
    const started = await retryRun(context, params.id, caller, { idempotency, traceparent })
    reply.header('location', `/api/v1/workflows/${started.run_id}`)
    return started
  })
  registerRoute(app, api.bulkRuns, async ({ body, caller }) => ({
    results: await bulkRuns(context, body, caller),
  }))
  registerRoute(app, api.signalRun, ({ params, body, caller, idempotency }) =>
    signalRun(context, params, jsonBody(body), caller, idempotency),
  )
}

function registerReads(app: FastifyInstance, context: ApiContext): void {
  const { store, engine } = context
  registerRoute(app, api.listRuns, async ({ query: { as_of, ...query }, request, reply }) => {
    const untilSeq = await resolveMoment(context, as_of)
    const { items, nextCursor, total } =
      untilSeq === undefined ? await store.runs.list(query) : await listPastRuns(store, query, untilSeq)
    return sendTagged(request, reply, { workflows: items, next_cursor: nextCursor, total })
  })
  registerRoute(app, api.getRun, async ({ params, query, request, reply }) =>
    sendTagged(request, reply, await getRun(store, params.id, await resolveMoment(context, query.as_of))),
  )
  registerRoute(app, api.whyRun, ({ params }) => engine.why(params.id))
  registerRoute(app, api.getRunMetrics, async ({ params }) => measureRun(await getRun(store, params.id)))
  registerRoute(app, api.getRunHistory, async ({ params, caller, reply }) => {
    const history = await exportHistory(store, params.id, (text) => hideTokens(context, caller, text))
    return reply.type('application/json; charset=utf-8').send(history)
  })
  registerRoute(app, api.getRunExecutions, async ({ params, query }) => {
    const { build, code, histories, isWhole } = await engine.executions(params.id, query.known_build)
    return {
      build,
      code: code?.kind === 'code' ? code.code : null,
      code_missing: code?.kind === 'missing' ? code.why : null,
      histories,
      is_whole: isWhole,
    }
  })
  registerRoute(app, api.listWorkflowTypes, ({ request, reply }) =>
    sendTagged(request, reply, {
      workflow_types: engine.workflows(),
      faults: context.workflowFaults?.() ?? [],
    }),
  )
}

function registerStreams(app: FastifyInstance, context: ApiContext): void {
  const { store } = context
  registerRoute(app, api.listRunEvents, async ({ params, query, caller, request, reply }) => {
    const { id } = await getRunRecord(store, params.id)
    if (wantsEventStream(request, reply)) {
      const input = { request, reply, caller }
      return streamSse(context, input, (stream) => streamEvents(stream, store, caller.role, { runId: id }, 0))
    }
    const { items, nextCursor } = await store.events.list({ ...query, run_id: id })
    return { events: items, next_cursor: nextCursor }
  })
  registerRoute(app, api.listRunLogs, async ({ params, query, caller, request, reply }) => {
    const { id } = await getRunRecord(store, params.id)
    if (wantsEventStream(request, reply) || query.follow === true) {
      return streamSse(context, { request, reply, caller }, (stream) =>
        followLogs(stream, store, id, query.step),
      )
    }
    return listLogs(store, id, query)
  })
}
