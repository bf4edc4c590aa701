import { api } from '@kyros/contract/api'
import { registerRoute } from '@kyros/kernel/route'
import type { FastifyInstance } from 'fastify'
import type { ApiContext } from '../context.ts'
import { jsonBody } from '../http/json-body.ts'
import { streamSse } from '../http/stream-sse.ts'
import { answerWaitpoint } from './answer-waitpoint.ts'
import { pauseRun, resumeRun, setBudget } from './change-run.ts'
import { forkRun } from './fork-run.ts'
import { getRunRecord } from './get-run.ts'
import { listVersions } from './list-versions.ts'
import { streamRun } from './stream-run.ts'
import { updateRun } from './update-run.ts'
import { upgradeRun } from './upgrade-run.ts'

/** What is done to runs that are under way, and what they are asked. */
export function registerRunOperationRoutes(app: FastifyInstance, context: ApiContext): void {
  registerControl(app, context)
  registerMessages(app, context)
  registerRoute(app, api.listWorkflowVersions, () => listVersions(context.engine))
}

function registerControl(app: FastifyInstance, context: ApiContext): void {
  registerRoute(app, api.pauseRun, ({ params, caller }) => pauseRun(context, params.id, caller))
  registerRoute(app, api.resumeRun, ({ params, caller }) => resumeRun(context, params.id, caller))
  registerRoute(app, api.setRunBudget, ({ params, body, caller }) =>
    setBudget(context, params.id, body, caller),
  )
  registerRoute(app, api.upgradeRun, ({ params, body, caller }) =>
    upgradeRun(context, params.id, body, caller),
  )
  registerRoute(app, api.forkRun, async ({ params, body, caller, idempotency, request, reply }) => {
    const { traceparent } = request
    const started = await forkRun(context, params.id, body, caller, { idempotency, traceparent })
    reply.header('location', `/api/v1/workflows/${started.run_id}`)
    return started
  })
}

function registerMessages(app: FastifyInstance, context: ApiContext): void {
  const { engine, store } = context
  registerRoute(app, api.queryRun, async ({ params, body }) => ({
    result: await engine.query(params.id, params.name, jsonBody(body)),
  }))
  registerRoute(app, api.updateRun, ({ params, body, caller, idempotency }) =>
    updateRun(context, params, jsonBody(body), caller, idempotency),
  )
  registerRoute(app, api.answerWaitpoint, ({ params, body, caller }) =>
    answerWaitpoint(context, params, jsonBody(body), caller),
  )
  registerRoute(app, api.streamRun, async ({ params, caller, request, reply }) => {
    await getRunRecord(store, params.id)
    return streamSse(context, { request, reply, caller }, (stream) => streamRun(stream, engine, params))
  })
}
