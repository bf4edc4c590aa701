import { createServer } from 'node:http'
import { join, resolve } from 'node:path'
import { createEmbeddedEngine } from '@kyros/engine/embedded/embedded-engine'
import { LeaseHolder } from '@kyros/engine/embedded/lease'
import { watchForStalls } from '@kyros/engine/embedded/stall-watch'
import type { WaitpointKey } from '@kyros/engine/embedded/waitpoint-tokens'
import type { Engine } from '@kyros/engine/engine'
import { systemClock } from '@kyros/kernel/clock'
import type { Assigned } from '@kyros/kernel/config/assigned'
import { cookieNames } from '@kyros/kernel/cookies'
import { createApp } from '@kyros/kernel/http-app'
import { listenOn } from '@kyros/kernel/listen'
import type { Log } from '@kyros/kernel/log'
import { createMetrics, type Metrics } from '@kyros/kernel/metrics'
import { createNewId } from '@kyros/kernel/new-id'
import { type Serving, serve } from '@kyros/kernel/serve'
import type { Service } from '@kyros/kernel/service'
import { readTls } from '@kyros/kernel/tls'
import { deriveKey } from '@kyros/orchestrator/auth/derive-key'
import { createOrchestrator } from '@kyros/orchestrator/orchestrator'
import { openStore } from '@kyros/store/open-store'
import { type DataLock, lockDirectory, prepareDirectory } from '@kyros/store/sqlite/data-directory'
import type { Store } from '@kyros/store/store'
import { catalogue } from '@kyros/workflows/catalogue'
import type { Config } from '../config.ts'
import { type ComposedAuth, composeAuth } from './auth.ts'
import { observeRuns } from './observe-runs.ts'
import type { OpenTemporal } from './open-temporal.ts'
import { openWorkflows } from './open-workflows.ts'
import type { OwnWorkflows } from './own-workflows.ts'
import { consoleDir, type DataPaths } from './paths.ts'
import { plainScheme } from './plain-scheme.ts'
import { publicConfig } from './public-config.ts'
import { limitsOf } from './slot-limits.ts'
import { temporalTargetOf } from './temporal-target.ts'
import { isSecure, tlsFiles } from './tls-files.ts'

export type ServerInput = {
  config: Config
  settings: readonly Assigned[]
  paths: DataPaths
  secretKey: string
  log: Log
  version: string
  /** Where the server was started. */
  directory: string
  /** Of this process: where steps look for git and for the agent that holds ssh keys. */
  env: Readonly<Record<string, string | undefined>>
  /** Whether this process does the steps of runs on a cluster as well. */
  hasWorker: boolean
}

export type StartedServer = {
  serving: Serving
  store: Store
  engineKind: string
  ownWorkflows: OwnWorkflows
  /** What was generated at this start and is never shown again. */
  firstAdmin: ComposedAuth['firstAdmin']
  /** Lets go of the database, after `serving` has stopped. */
  close(): Promise<void>
}

const closeTimeoutMs = 1_500
const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs

/** Composes everything into this process, and listens. @throws StartError, DataDirectoryError, DatabaseError, CommandError */
export async function startServer(input: ServerInput): Promise<StartedServer> {
  let store: Store | undefined
  let lock: DataLock | undefined
  try {
    lock = lockBeside(input)
    store = await open(input)
    // Before anything is made that is shown once, such as the first admin's password.
    const tls = tlsFiles(input.config.server)
    if (tls !== undefined) readTls(tls)
    const port = await checkPort(input.config.server)
    const started = await compose(input, store, port)
    const endWatch = watchForStalls()
    const close = () => {
      endWatch()
      return closeInTime(input.log, { ...started, lock })
    }
    return { ...started, close }
  } catch (error) {
    await store?.close()
    lock?.release()
    throw error
  }
}

/** SQLite locks its directory itself; with PostgreSQL keys and work files are still for one process. */
function lockBeside({ config, paths }: ServerInput): DataLock | undefined {
  if (config.database.url === undefined || paths.dataDir === undefined) return undefined
  prepareDirectory(paths.dataDir)
  return lockDirectory(paths.dataDir)
}

/**
 * Gives the port that is free to listen on: the names of cookies hold it, so 0 is settled now.
 * @throws StartError in the same words as the listener's own
 */
async function checkPort({ host, port }: Config['server']): Promise<number> {
  const server = createServer()
  await listenOn(server, { host, port })
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : port
}

function open({ config, paths, log }: ServerInput): Promise<Store> {
  const { url, max_open_conns: maxConnections } = config.database
  return openStore({
    dataDir: paths.storeDir,
    ...(url !== undefined && { databaseUrl: plainScheme(url), maxConnections }),
    log: (level, message) => log[level]({ part: 'store' }, message),
  })
}

type Composed = Omit<StartedServer, 'close'> & { closeCluster(): Promise<void> }

async function compose(input: ServerInput, opened: Store, port: number): Promise<Composed> {
  const { log, version } = input
  const metrics = createMetrics({ version })
  const store = observeRuns(opened, { log, metrics })
  const ownWorkflows = await openWorkflows(input, store)
  const temporal = await openCluster(input, store, metrics)
  try {
    return await composeOn(input, { store, port, metrics, ownWorkflows, temporal })
  } catch (error) {
    await temporal?.close()
    throw error
  }
}

type Composing = {
  store: Store
  port: number
  metrics: Metrics
  ownWorkflows: OwnWorkflows
  temporal: OpenTemporal | undefined
}

async function composeOn(input: ServerInput, parts: Composing): Promise<Composed> {
  const { config, log, version } = input
  const { store, port, metrics, ownWorkflows, temporal } = parts
  const engine = await createEngine(input, store, ownWorkflows, temporal)
  const tls = tlsFiles(config.server)
  const cookies = cookieNames({ port, secure: isSecure(config.server) })
  const newId = createNewId(systemClock)
  const auth = await composeAuth({ ...input, store, newId, credentialDir: input.paths.baseDir })
  const app = createApp({
    verifier: auth.verifier,
    clock: systemClock,
    log,
    metrics,
    cookies,
    allowedOrigins: config.security.allowed_origins,
    maxBodyBytes: config.server.max_body_bytes,
    trustedProxies: config.server.trusted_proxies,
    rateLimit: config.rate_limits.enabled && {
      calls: config.rate_limits.requests_per_minute,
      windowMs: minuteMs,
    },
  })
  const orchestrator = createOrchestrator({
    store,
    engine,
    clock: systemClock,
    newId,
    version,
    environment: config.environment,
    publicConfig: publicConfig(input.settings),
    workflowFaults: () => ownWorkflows.faults(),
    docsEnabled: config.docs.enabled ?? config.environment !== 'production',
    consoleDir,
    authRoutes: auth.routes,
    ensureFirstAdmin: auth.ensureFirstAdmin,
    drainMs: config.server.drain_ms,
    ...(temporal && { readCluster: temporal.status }),
    ...retentionOf(input),
    log: (level, message) => log[level]({ part: 'retention' }, message),
  })
  const serving = await serve({
    services: [orchestrator, ...(await clusterServices(input, ownWorkflows, temporal))],
    app,
    host: config.server.host,
    port,
    log,
    graceMs: config.server.drain_ms,
    metricsPort: config.server.enable_metrics ? config.server.metrics_port : 0,
    tls,
  })
  return {
    serving,
    store,
    engineKind: engine.kind,
    closeCluster: async () => temporal?.close(),
    ownWorkflows,
    firstAdmin: auth.firstAdmin,
  }
}

/** What is old is removed only where that was asked for; where it could be archived is always known, but in memory. */
function retentionOf({ config, paths, directory }: ServerInput) {
  const { days, archive, archive_dir: dir, every_minutes: everyMinutes } = config.retention
  const archiveDir =
    dir === undefined ? paths.dataDir && join(paths.dataDir, 'archive') : resolve(directory, dir)
  const plan = days !== undefined && {
    olderThanMs: days * dayMs,
    everyMs: everyMinutes * minuteMs,
    isArchived: archive,
  }
  return { ...(archiveDir !== undefined && { archiveDir }), ...(plan && { retention: plan }) }
}

/** The cluster's SDK is loaded only where a cluster is configured. */
async function openCluster(
  input: ServerInput,
  store: Store,
  metrics: Metrics,
): Promise<OpenTemporal | undefined> {
  const target = temporalTargetOf(input.config, input.directory)
  if (target === undefined) return undefined
  const { openTemporal } = await import('./open-temporal.ts')
  return openTemporal({ ...input, store, target, metrics })
}

async function createEngine(
  { config, paths, log, secretKey }: ServerInput,
  store: Store,
  own: OwnWorkflows,
  cluster: OpenTemporal | undefined,
): Promise<Engine> {
  const holder = new LeaseHolder()
  const waitpointKeys = [deriveKey(secretKey, 'waitpoint'), ...previousKeys(config)] as const
  const embedded = await createEmbeddedEngine({
    ...{ store, holder, waitpointKeys, definitions: own.definitions, steps: own.steps },
    workflows: catalogue,
    clock: systemClock,
    workspaceDir: paths.workspaceDir,
    cacheDir: paths.cacheDir,
    limits: {
      queues: limitsOf(config.engine.queue_limits),
      keys: limitsOf(config.engine.key_limits),
    },
    log: (level, message) => log[level]({ part: 'engine' }, message),
    maxAttempts: config.engine.max_concurrent_steps,
    leaveOut: config.engine.leave_out,
    // A run that comes to such a boundary while the cluster is away goes on here, and moves at the next one.
    handsOver: () => cluster?.connection.state().status === 'healthy',
  })
  if (cluster === undefined) return embedded
  const { createJointEngine } = await import('@kyros/engine/joint-engine')
  const temporal = await cluster.createEngine({ definitions: own.definitions, waitpointKeys, holder })
  return createJointEngine({ embedded, temporal, store })
}

/** What works on the cluster beside the API: nothing where none is configured. */
async function clusterServices(
  { config, paths, hasWorker }: ServerInput,
  own: OwnWorkflows,
  cluster: OpenTemporal | undefined,
): Promise<Service[]> {
  if (cluster === undefined) return []
  if (!hasWorker) return [cluster.service]
  const { createWorker } = await import('@kyros/worker/worker')
  const worker = cluster.createWorker({
    steps: own.steps,
    // Not the engine's: it clears away what is not of a run of its own.
    workspaceDir: join(paths.baseDir, 'worker-workspaces'),
    cacheDir: paths.cacheDir,
  })
  return [cluster.service, createWorker({ worker, drainMs: config.server.drain_ms, hasProbes: false })]
}

function previousKeys({ security }: Config): WaitpointKey[] {
  return (security.previous_secret_keys ?? []).map((key) => deriveKey(key, 'waitpoint'))
}

type Closing = { store: Store; closeCluster(): Promise<void>; lock: DataLock | undefined }

/** A database that hangs must not keep the process: what was acknowledged is on disk already. */
async function closeInTime(log: Log, { store, closeCluster, lock }: Closing): Promise<void> {
  const { promise: late, resolve: giveUp } = Promise.withResolvers<void>()
  const timer = setTimeout(() => {
    log.warn({}, 'the database did not close in time')
    giveUp()
  }, closeTimeoutMs)
  const closed = closeCluster().finally(() => store.close())
  await Promise.race([closed, late]).catch((error: unknown) => log.warn({ err: error }, 'close failed'))
  clearTimeout(timer)
  lock?.release()
}
