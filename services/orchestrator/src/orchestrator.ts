import type { JsonObject } from '@kyros/contract/json'
import type { WorkflowFault } from '@kyros/contract/workflow-fault'
import type { Engine } from '@kyros/engine/engine'
import type { ClusterStatus } from '@kyros/engine/temporal/cluster-status'
import type { Clock } from '@kyros/kernel/clock'
import type { Service, ServiceHealth } from '@kyros/kernel/service'
import type { Store } from '@kyros/store/store'
import type { FastifyInstance } from 'fastify'
import { createConsoleFiles } from './console/console-files.ts'
import { createServePage, registerConsole } from './console/serve-console.ts'
import type { ApiContext } from './context.ts'
import { registerEventRoutes } from './events/routes.ts'
import { registerJobRoutes } from './jobs/routes.ts'
import { registerOlderRoutes } from './older/routes.ts'
import { registerPlatformRoutes } from './platform/routes.ts'
import { ensureDefaultProject } from './projects/ensure-default-project.ts'
import { registerProjectRoutes } from './projects/routes.ts'
import { registerRetentionRoutes } from './retention/routes.ts'
import { type RetentionLog, type RetentionPlan, scheduleRetention } from './retention/schedule-retention.ts'
import { registerRunOperationRoutes } from './runs/operation-routes.ts'
import { registerRunRoutes } from './runs/routes.ts'
import { registerViewRoutes } from './views/routes.ts'
import { hideTokensInAnswers } from './waitpoints/hide-tokens.ts'
import { registerWaitpointRoutes } from './waitpoints/routes.ts'

export type OrchestratorOptions = {
  store: Store
  engine: Engine
  clock: Clock
  /** A new UUIDv7. */
  newId: () => string
  version: string
  environment: string
  /** What is wrong with workflows of users' own, at this moment. Default: nothing. */
  workflowFaults?: () => WorkflowFault[]
  /** How the Temporal cluster is. Default: there is none. */
  readCluster?: () => Promise<ClusterStatus>
  /** Effective configuration, secrets already hidden: what GET /v1/config shows parts of. */
  publicConfig: JsonObject
  docsEnabled: boolean
  /** Where the built console lies; it may be missing. */
  consoleDir: string
  /** Adds the routes under /auth. */
  authRoutes: (app: FastifyInstance) => void | Promise<void>
  /** Makes the first admin while there is none. */
  ensureFirstAdmin: () => Promise<void>
  /** Directory for archives of old jobs; without it none are made. */
  archiveDir?: string
  /** When old jobs are removed by themselves. Default: never. */
  retention?: RetentionPlan
  /** Hears what is done without anybody asking. */
  log?: RetentionLog
  /** How long running attempts may take to end when the server stops. */
  drainMs?: number
}

const defaultDrainMs = 5_000
const healthPingMs = 1_500

/** The HTTP edge and the API over a store and an engine. */
export function createOrchestrator(options: OrchestratorOptions): Service {
  const { store, engine } = options
  const ready = Promise.withResolvers<ApiContext>()
  return {
    name: 'orchestrator',
    plugin: async (app) => {
      // Before there is a listener: whoever is let in finds the default project, and can sign in.
      const defaultProjectId = await ensureDefaultProject(options)
      await options.ensureFirstAdmin()
      const context: ApiContext = { ...options, defaultProjectId }
      await registerSlices(app, context, options)
      ready.resolve(context)
    },
    health: () => readOwnHealth(store, engine),
    run: async (signal) => {
      await Promise.all([engine.run(signal), keepWithinBounds(options, ready.promise, signal)])
    },
    drain: () => engine.drain(options.drainMs ?? defaultDrainMs),
  }
}

async function keepWithinBounds(
  { retention, log = () => undefined }: OrchestratorOptions,
  ready: Promise<ApiContext>,
  signal: AbortSignal,
): Promise<void> {
  if (retention !== undefined) await scheduleRetention(await ready, retention, signal, log)
}

async function registerSlices(
  app: FastifyInstance,
  context: ApiContext,
  options: OrchestratorOptions,
): Promise<void> {
  const { version, environment, publicConfig, docsEnabled } = options
  hideTokensInAnswers(app, context)
  const files = createConsoleFiles(options.consoleDir, context.clock)
  const servePage = createServePage(files)
  await options.authRoutes(app)
  registerPlatformRoutes(app, { ...context, version, environment, publicConfig, docsEnabled, servePage })
  registerProjectRoutes(app, context)
  registerJobRoutes(app, context)
  registerRunRoutes(app, context)
  registerRunOperationRoutes(app, context)
  registerWaitpointRoutes(app, context)
  registerRetentionRoutes(app, context)
  registerViewRoutes(app, context)
  registerEventRoutes(app, context)
  await registerOlderRoutes(app, context, servePage)
  registerConsole(app, files)
}

async function readOwnHealth(store: Store, engine: Engine): Promise<ServiceHealth> {
  const details = { database: store.dialect, engine: engine.kind }
  try {
    await store.ping(healthPingMs)
  } catch {
    return { status: 'unhealthy', details, error: 'The database does not answer.' }
  }
  const { status, details: ofEngine } = engine.health()
  return { status, details: { ...details, ...ofEngine } }
}
