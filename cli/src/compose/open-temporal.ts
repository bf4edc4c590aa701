import type { Definitions } from '@kyros/engine/definitions/definitions'
import type { StepsByWorkflow } from '@kyros/engine/embedded/embedded-engine'
import type { LeaseHolder } from '@kyros/engine/embedded/lease'
import type { WaitpointKey } from '@kyros/engine/embedded/waitpoint-tokens'
import type { Engine } from '@kyros/engine/engine'
import { type ClusterStatus, readClusterStatus } from '@kyros/engine/temporal/cluster-status'
import { connectWorker } from '@kyros/engine/temporal/connect-worker'
import { connectTemporal, type TemporalConnection } from '@kyros/engine/temporal/connection'
import type { TemporalTarget } from '@kyros/engine/temporal/connection-check'
import { dataConverterOf } from '@kyros/engine/temporal/data-converter'
import { createPayloadCodec } from '@kyros/engine/temporal/payload-codec'
import { createTemporalEngine } from '@kyros/engine/temporal/temporal-engine'
import { faultProblem } from '@kyros/engine/temporal/temporal-problem'
import { createTemporalWorker, type TemporalWorker } from '@kyros/engine/temporal/temporal-worker'
import { systemClock } from '@kyros/kernel/clock'
import type { Log } from '@kyros/kernel/log'
import type { Metrics } from '@kyros/kernel/metrics'
import type { Service, ServiceHealth } from '@kyros/kernel/service'
import { deriveKey } from '@kyros/orchestrator/auth/derive-key'
import type { Store } from '@kyros/store/store'
import type { Config } from '../config.ts'
import { meterCluster } from './cluster-metrics.ts'
import { limitsOf } from './slot-limits.ts'

export type TemporalInput = {
  config: Config
  secretKey: string
  log: Log
  store: Store
  target: TemporalTarget
  metrics: Metrics
}

/** One process's side of the cluster: engine and worker share what they know of it. */
export type OpenTemporal = {
  readonly connection: TemporalConnection
  createEngine(parts: {
    definitions: Definitions
    waitpointKeys: readonly [WaitpointKey, ...WaitpointKey[]]
    holder: LeaseHolder
  }): Promise<Engine>
  createWorker(parts: { steps: StepsByWorkflow; workspaceDir: string; cacheDir: string }): TemporalWorker
  /** How the cluster is, as a part of the platform's health. */
  readonly service: Service
  status(): Promise<ClusterStatus>
  /** After engine and worker have stopped. */
  close(): Promise<void>
}

/** Returns at once, also when the cluster is away. */
export function openTemporal(input: TemporalInput): OpenTemporal {
  const { config, secretKey, log, store, target, metrics } = input
  const { namespace } = target
  const { task_queue: taskQueue, when_unavailable: whenUnavailable } = config.temporal
  const { enable_metrics: isMetered, metrics_scope: prefix } = config.temporal
  const metering = isMetered ? meterCluster(metrics, prefix) : undefined
  const codecs = [codecOf(config, secretKey, store)]
  const tell = (part: string) => (level: 'debug' | 'info' | 'warn' | 'error', message: string) =>
    log[level]({ part }, message)
  const connection = connectTemporal(
    { ...target, dataConverter: { payloadCodecs: codecs } },
    { clock: systemClock, log: tell('temporal'), ...(metering && { tell: metering.tell }) },
  )
  const closing = new AbortController()
  let native: ReturnType<typeof connectWorker> | undefined
  const connect = () => {
    native ??= connectWorker(target, { cluster: connection, clock: systemClock, signal: closing.signal })
    return native
  }
  const common = { store, clock: systemClock, namespace, taskQueue }
  return {
    connection,
    createEngine: (parts) =>
      createTemporalEngine({
        ...{ ...common, ...parts, codecs, whenUnavailable, log: tell('engine') },
        searchAttributes: target.searchAttributes ?? {},
        encryptsErrors: config.temporal.encrypt_payloads,
        client: async () => connection.client,
        outage: () => outageOf(connection),
      }),
    createWorker: (parts) => {
      const worker = createTemporalWorker({
        ...{ ...common, ...parts, connect, log: tell('worker') },
        dataConverter: dataConverterOf(codecs, config.temporal.encrypt_payloads),
        maxAttempts: config.temporal.max_concurrent_activities,
        maxTurns: config.temporal.max_concurrent_workflows,
        limits: {
          queues: limitsOf(config.engine.queue_limits),
          keys: limitsOf(config.engine.key_limits),
        },
      })
      metering?.watch(worker)
      return endingWith(worker, closing)
    },
    service: clusterService(connection, whenUnavailable === 'reject'),
    status: () => readClusterStatus(connection, { address: target.address, taskQueue, store }),
    close: async () => {
      closing.abort()
      metering?.end()
      await native?.then((made) => made.close()).catch(() => {})
      await connection.close()
    },
  }
}

/** A worker that is still waiting for the cluster when it is to end must not wait any longer. */
function endingWith(worker: TemporalWorker, closing: AbortController): TemporalWorker {
  return {
    run: (signal) => worker.run(signal),
    serves: (buildId) => worker.serves(buildId),
    health: () => worker.health(),
    metrics: () => worker.metrics(),
    drain: (graceMs) => {
      closing.abort()
      return worker.drain(graceMs)
    },
  }
}

function outageOf(connection: TemporalConnection): Error | undefined {
  const state = connection.state()
  return state.status === 'faulty' ? faultProblem(state) : undefined
}

/** Where new runs are kept until the cluster is back, the platform takes work without it. */
function clusterService(connection: TemporalConnection, required: boolean): Service {
  return {
    name: 'temporal',
    health: async (): Promise<ServiceHealth> => {
      const known = connection.state()
      const state = known.status === 'unknown' ? await connection.check() : known
      const { namespace } = connection
      if (state.status !== 'faulty') {
        const version = state.status === 'healthy' ? state.serverVersion : null
        return { status: 'healthy', required, details: { namespace, server_version: version } }
      }
      const { code, what, mend } = state
      return { status: 'unhealthy', required, details: { namespace, code }, error: `${what} ${mend}` }
    },
  }
}

function codecOf({ temporal, security }: Config, secretKey: string, { blobs }: Store) {
  const older = (security.previous_secret_keys ?? []).map((key) => deriveKey(key, 'temporal-payload'))
  return createPayloadCodec({
    blobs,
    keys: [deriveKey(secretKey, 'temporal-payload'), ...older],
    encrypts: temporal.encrypt_payloads,
  })
}
