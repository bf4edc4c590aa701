import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Job } from '@kyros/contract/job'
import { problem } from '@kyros/contract/problem'
import { isTerminal } from '@kyros/contract/run-status'
import { createEmbeddedEngine } from '@kyros/engine/embedded/embedded-engine'
import { replayFinished } from '@kyros/engine/suite/replay-finished'
import { systemClock } from '@kyros/kernel/clock'
import { type AppOptions, createApp } from '@kyros/kernel/http-app'
import { createLog } from '@kyros/kernel/log'
import { createMetrics } from '@kyros/kernel/metrics'
import { createNewId } from '@kyros/kernel/new-id'
import type { Verifier } from '@kyros/kernel/verifier'
import { openStore } from '@kyros/store/open-store'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { createOrchestrator, type OrchestratorOptions } from '../orchestrator.ts'
import { testCatalogue, testSteps } from './test-catalogue.ts'

export type TestPlatform = Awaited<ReturnType<typeof startTestPlatform>>

const people = {
  viewer: { id: 'user:viewer', userId: 'viewer', role: 'viewer', via: 'bearer' },
  operator: { id: 'user:operator', userId: 'operator', role: 'operator', via: 'bearer' },
  other: { id: 'user:other', userId: 'other', role: 'operator', via: 'bearer' },
  admin: { id: 'user:admin', userId: 'admin', role: 'admin', via: 'bearer' },
} as const

/** A bearer token is the name of who it belongs to. */
const verifier: Verifier = async (credentials) => {
  const name = credentials.kind === 'api_key' ? credentials.key : credentials.token
  const caller = Object.entries(people).find(([person]) => person === name)?.[1]
  if (caller !== undefined) return caller
  throw problem('token_invalid', { detail: 'Sign in again.' })
}

type Overrides = {
  app?: AppOptions
  orchestrator?: Partial<OrchestratorOptions>
}

/** The orchestrator over the real store (in memory) and the real engine, without a listener. */
export async function startTestPlatform({ app: appOptions, orchestrator }: Overrides = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'kyros-orchestrator-'))
  const lines: Record<string, unknown>[] = []
  const log = createLog({
    level: 'warn',
    destination: { write: (line) => void lines.push(JSON.parse(line)) },
  })
  const store = await openStore({ dataDir: ':memory:' })
  const engine = await createEmbeddedEngine({
    store,
    workflows: testCatalogue,
    steps: testSteps,
    clock: systemClock,
    workspaceDir: join(directory, 'workspaces'),
    cacheDir: join(directory, 'cache'),
    log: (level, message) => log[level]({}, message),
  })
  const service = createOrchestrator({
    store,
    engine,
    clock: systemClock,
    newId: createNewId(systemClock),
    version: '1.2.3',
    environment: 'test',
    publicConfig: { log: { level: 'info' }, database: { url: 'postgres://********@db' } },
    docsEnabled: true,
    consoleDir: join(directory, 'no-console'),
    authRoutes: () => {},
    ensureFirstAdmin: async () => {},
    drainMs: 100,
    ...orchestrator,
  })
  const app = createApp({
    verifier,
    log,
    rateLimit: false,
    metrics: createMetrics({ version: '1.2.3' }),
    ...appOptions,
  })
  const routes: string[] = []
  app.addHook('onRoute', ({ method, url }) => {
    for (const name of [method].flat()) routes.push(`${name} ${url}`)
  })
  app.edge.life.services = [service]
  await app.register(async (scope) => service.plugin?.(scope))
  await app.ready()
  app.edge.life.phase = 'ready'
  const stopping = new AbortController()
  const running = service.run?.(stopping.signal)
  return {
    app,
    store,
    engine,
    service,
    /** `METHOD /path/:param` of every route that was added. */
    routes,
    /** What was logged at `warn` or above. */
    lines,
    ...calls(app),
    async stop() {
      await service.drain?.()
      stopping.abort()
      await running
      await app.close()
      await replayFinished(store, join(directory, 'cache')).finally(() => store.close())
      await rm(directory, { recursive: true, force: true })
    },
  }
}

type Send = Omit<InjectOptions, 'url' | 'method'> & { as?: keyof typeof people | 'nobody' }

function calls(app: FastifyInstance) {
  // Async, so that a request is under way before its answer is awaited.
  const send = async (
    method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD',
    url: string,
    options: Send = {},
  ) => {
    const { as = 'operator', headers, ...rest } = options
    const credentials = as === 'nobody' ? {} : { authorization: `Bearer ${as}` }
    return app.inject({ method, url, headers: { ...credentials, ...headers }, ...rest })
  }
  const get = (url: string, options?: Send) => send('GET', url, options)
  const submit = async (body: object): Promise<Job> =>
    (await send('POST', '/api/v1/jobs', { payload: body })).json<Job>()
  /** Asks until `is` holds; a run moves by itself. */
  const awaitJob = async (id: string, is: (job: Job) => boolean): Promise<Job> => {
    for (let tries = 0; tries < 500; tries++) {
      const job = (await get(`/api/v1/jobs/${id}`)).json<Job>()
      if (is(job)) return job
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    throw new Error(`The job ${id} did not get there within 5 s`)
  }
  const awaitEnd = (id: string) => awaitJob(id, ({ status }) => isTerminal(status))
  return { send, get, submit, awaitJob, awaitEnd }
}
