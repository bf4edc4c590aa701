import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Store } from '@kyros/store/store'
import { Client } from '@temporalio/client'
import type { PayloadCodec } from '@temporalio/common'
import { prepareDefinitions } from '../definitions/definitions.ts'
import { createEmbeddedEngine } from '../embedded/embedded-engine.ts'
import { createProject, newId, stepsFor, testClock } from '../embedded/embedded-rig.ts'
import { LeaseHolder } from '../embedded/lease.ts'
import type { Engine } from '../engine.ts'
import { testWorkflows } from '../fixtures/catalogue.ts'
import { createJointEngine } from '../joint-engine.ts'
import type { EngineRig, SuiteOptions } from '../suite/rig.ts'
import { dataConverterOf } from './data-converter.ts'
import { loadSdk } from './load-sdk.ts'
import { createPayloadCodec } from './payload-codec.ts'
import type { SearchKinds } from './search-kinds.ts'
import { createTemporalEngine } from './temporal-engine.ts'
import { createTemporalWorker } from './temporal-worker.ts'
import { clientInterceptors } from './trace-headers.ts'

// One cache for all tests: bundling is not what they are about.
const cacheDir = join(tmpdir(), 'kyros-engine-test-cache')

const payloadKeys: readonly [{ id: string; key: Uint8Array }] = [
  { id: 'suite-01', key: new Uint8Array(32).fill(9) },
]

export type TemporalRigOptions = SuiteOptions & {
  store: Store
  address: string
  client: Client
  onLog?: (level: string, message: string) => void
  searchAttributes?: SearchKinds
  /** Whether runs of the embedded engine beside it move where they continue as new. Default: they do not. */
  handsOver?: () => boolean
  /** Default: true. */
  encrypts?: boolean
}

/** `embedded`: the engine beside it, for runs that began before the switch. */
export type TemporalRig = EngineRig & { readonly embedded: Engine }

/** The engine and a worker on a task queue of their own, on a store that the caller opened and the rig closes. */
export async function createTemporalRig(options: TemporalRigOptions): Promise<TemporalRig> {
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
    get embedded() {
      return current.embedded
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

function withCodecs({ connection }: Client, payloadCodecs: PayloadCodec[]): Client {
  return new Client({ connection, interceptors: clientInterceptors, dataConverter: { payloadCodecs } })
}

async function start(
  options: TemporalRigOptions,
  dir: string,
  taskQueue: string,
): Promise<{ engine: Engine; embedded: Engine; stop: () => Promise<void> }> {
  const { store, client, address, maxAttempts, handsOver } = options
  const workflows = options.workflows ?? testWorkflows
  const definitions = await prepareDefinitions({ store, workflows, cacheDir, nowMs: () => Date.now() })
  const log = options.onLog ?? (() => {})
  const { encrypts = true } = options
  const codecs = [createPayloadCodec({ blobs: store.blobs, keys: payloadKeys, encrypts })]
  const { NativeConnection } = await loadSdk()
  const connection = await NativeConnection.connect({ address })
  const worker = createTemporalWorker({
    ...{ store, taskQueue, cacheDir, log, clock: testClock },
    dataConverter: dataConverterOf(codecs, encrypts),
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
  const holder = new LeaseHolder(`rig ${newId()}`)
  const waitpointKeys = [{ id: 'suite-01', key: new Uint8Array(32).fill(7) }] as const
  const temporal = await createTemporalEngine({
    ...{ store, definitions, taskQueue, log, codecs, holder, waitpointKeys, clock: testClock },
    client: async () => withCodecs(client, codecs),
    namespace: 'default',
    encryptsErrors: encrypts,
    ...(options.searchAttributes && { searchAttributes: options.searchAttributes }),
    leaseTtlMs: 1500,
    sweepEveryMs: 200,
  })
  // Beside it, as in a server: what a test puts into the log as the embedded engine left it goes on there.
  const embedded = await createEmbeddedEngine({
    ...{ store, workflows, definitions, cacheDir, holder, waitpointKeys, clock: testClock },
    steps: stepsFor(workflows, options.steps),
    ...{ log: () => {}, ...(handsOver && { handsOver }) },
    workspaceDir: join(dir, 'embedded'),
    abortGraceMs: 50,
    leaseTtlMs: 1500,
    sweepEveryMs: 200,
  })
  const engine = createJointEngine({ embedded, temporal, store })
  const stopping = new AbortController()
  const running = Promise.all([engine.run(stopping.signal), worker.run(stopping.signal)])
  const drain = engine.drain.bind(engine)
  engine.drain = async (graceMs) => {
    await worker.drain(graceMs)
    await drain(graceMs)
  }
  return {
    ...{ engine, embedded },
    stop: async () => {
      stopping.abort()
      await running
      await connection.close()
    },
  }
}
