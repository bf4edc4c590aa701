import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Store } from '@kyros/store/store'
import type { Client } from '@temporalio/client'
import { prepareDefinitions } from '../definitions/definitions.ts'
import { createProject, newId, stepsFor, testClock } from '../embedded/embedded-rig.ts'
import type { Engine } from '../engine.ts'
import { testWorkflows } from '../fixtures/catalogue.ts'
import type { EngineRig, SuiteOptions } from '../suite/rig.ts'
import { loadSdk } from './load-sdk.ts'
import { createTemporalEngine } from './temporal-engine.ts'
import { createTemporalWorker } from './temporal-worker.ts'

// One cache for all tests: bundling is not what they are about.
const cacheDir = join(tmpdir(), 'kyros-engine-test-cache')

export type TemporalRigOptions = SuiteOptions & {
  store: Store
  address: string
  client: Client
  onLog?: (level: string, message: string) => void
}

/** The engine and a worker on a task queue of their own, on a store that the caller opened and the rig closes. */
export async function createTemporalRig(options: TemporalRigOptions): Promise<EngineRig> {
  const dir = await mkdtemp(join(tmpdir(), 'kyros-temporal-'))
  const projectId = await createProject(options.store)
  const taskQueue = `test-${newId()}`
  let last: SuiteOptions = options
  let current = await start({ ...options, ...last }, dir, taskQueue)
  return {
    store: options.store,
    projectId,
    newId,
    get engine() {
      return current.engine
    },
    restart: async (change) => {
      await current.stop()
      last = { ...last, ...change }
      current = await start({ ...options, ...last }, dir, taskQueue)
    },
    stop: async () => {
      await current.engine.drain(0)
      await current.stop()
      await options.store.close()
    },
  }
}

async function start(
  options: TemporalRigOptions,
  dir: string,
  taskQueue: string,
): Promise<{ engine: Engine; stop: () => Promise<void> }> {
  const { store, client, address, maxAttempts } = options
  const workflows = options.workflows ?? testWorkflows
  const definitions = await prepareDefinitions({ store, workflows, cacheDir, nowMs: () => Date.now() })
  const log = options.onLog ?? (() => {})
  const { NativeConnection } = await loadSdk()
  const connection = await NativeConnection.connect({ address })
  const worker = createTemporalWorker({
    ...{ store, taskQueue, cacheDir, log, clock: testClock },
    connect: async () => connection,
    namespace: 'default',
    steps: stepsFor(workflows, options.steps),
    workspaceDir: join(dir, 'workspaces'),
    abortGraceMs: 50,
    beatEveryMs: 50,
    lookEveryMs: 50,
    stickyMs: 300,
    ...(maxAttempts === undefined ? {} : { maxAttempts }),
  })
  const engine = await createTemporalEngine({
    ...{ store, definitions, taskQueue, log, clock: testClock },
    client: async () => client,
    namespace: 'default',
    waitpointKeys: [{ id: 'suite-01', key: new Uint8Array(32).fill(7) }],
    leaseTtlMs: 1500,
    sweepEveryMs: 200,
  })
  const stopping = new AbortController()
  const running = Promise.all([engine.run(stopping.signal), worker.run(stopping.signal)])
  const drain = engine.drain.bind(engine)
  engine.drain = async (graceMs) => {
    await worker.drain(graceMs)
    await drain(graceMs)
  }
  return {
    engine,
    stop: async () => {
      stopping.abort()
      await running
      await connection.close()
    },
  }
}
