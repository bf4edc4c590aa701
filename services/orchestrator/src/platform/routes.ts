import { api } from '@kyros/contract/api'
import { problem } from '@kyros/contract/problem'
import { readReadiness } from '@kyros/kernel/readiness'
import { registerRoute } from '@kyros/kernel/route'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { PlatformContext } from './context.ts'
import { createCspReporter, cspReportMediaTypes, maxCspReportBytes } from './csp-report.ts'
import { registerDocumentRoutes } from './document-routes.ts'
import { readEngineStatus } from './read-engine-status.ts'
import { readHealth } from './read-health.ts'
import { describeServer, readCheck, readInfo, visibleConfig } from './read-info.ts'
import { createStatsReader } from './read-stats.ts'

/** How long a probe waits for the database. */
const pingMs = 2000

export function registerPlatformRoutes(app: FastifyInstance, context: PlatformContext): void {
  registerProbes(app, context)
  registerHealth(app, context)
  registerFacts(app, context)
  registerDocumentRoutes(app, context)
}

function registerProbes(app: FastifyInstance, { store }: PlatformContext): void {
  const { life } = app.edge
  registerRoute(app, api.livez, () => ({ status: 'ok' }))
  registerRoute(app, api.healthz, async () => {
    await store.ping(pingMs)
    return { status: 'ok', ok: true }
  })
  const answerReady = async (query: { verbose?: string }, reply: FastifyReply) => {
    const readiness = await readReadiness(life, query.verbose !== undefined && query.verbose !== '0')
    if (!readiness.ready) reply.code(503).header('retry-after', '1')
    return readiness
  }
  registerRoute(app, api.readyz, ({ query, reply }) => answerReady(query, reply))
  registerRoute(app, api.ready, ({ query, reply }) => answerReady(query, reply))
}

function registerHealth(app: FastifyInstance, { version, clock }: PlatformContext): void {
  const { life } = app.edge
  registerRoute(app, api.health, async ({ reply }) => {
    const health = await readHealth(life, version)
    if (health.status === 'unhealthy') reply.code(503).header('retry-after', '1')
    return health
  })
  // No upstream can be configured yet: there is nothing to monitor, and nothing that could be ill.
  registerRoute(app, api.healthStatus, () => ({
    overall: 'healthy',
    timestamp: new Date(clock.nowMs()).toISOString(),
    services: {},
    monitoring: { check_interval: 30, running: false },
  }))
  registerRoute(app, api.healthStatusOf, ({ params }) => {
    throw problem('health_service_unknown', {
      detail: `There is no upstream service "${params.service}". Known: none, because no upstream is configured.`,
    })
  })
}

function registerFacts(app: FastifyInstance, context: PlatformContext): void {
  const { store, clock, servePage, publicConfig } = context
  const { edge } = app
  registerRoute(
    app,
    api.describe,
    ({ reply }) => {
      reply.header('vary', 'Accept')
      return describeServer(context, edge.life)
    },
    { before: servePage },
  )
  registerRoute(app, api.metrics, async ({ reply }) => {
    reply.header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
    return (await edge.metrics?.text()) ?? ''
  })
  registerRoute(app, api.config, () => visibleConfig(publicConfig))
  registerRoute(app, api.info, () => readInfo(context, edge.allowedOrigins))
  registerRoute(app, api.healthCheck, () => readCheck(context))
  const report = createCspReporter(edge.log, clock)
  const reports = { mediaTypes: cspReportMediaTypes, anyOrigin: true, maxBodyBytes: maxCspReportBytes }
  registerRoute(app, api.reportCsp, ({ body }) => report(body), reports)
  const readStats = createStatsReader(store, clock)
  registerRoute(app, api.stats, () => readStats())
  registerRoute(app, api.engineStatus, () => readEngineStatus(context))
}
