import type { ProblemError } from '@kyros/contract/problem'
import { Client, Connection } from '@temporalio/client'
import type { EngineLog } from '../embedded/engine-parts.ts'
import type { EngineClock } from '../embedded/timers.ts'
import type { MetricReading } from './cluster-metrics.ts'
import {
  type Checker,
  createChecker,
  defaultConnectMs,
  type TemporalTarget,
  tlsOf,
} from './connection-check.ts'
import { tlsProblem } from './connection-fault.ts'
import { measuring } from './connection-measure.ts'
import { createRetries, type Retries } from './connection-retries.ts'
import { faultProblem, type TemporalState, temporalProblem } from './temporal-problem.ts'
import { clientInterceptors } from './trace-headers.ts'

export type TemporalConnection = {
  readonly client: Client
  readonly connection: Connection
  readonly namespace: string
  /** What the last check found; a check is made every 10 seconds, and every 2 while something is wrong. */
  state(): TemporalState
  /** Looks at the cluster now. Never rejects; takes at most three times `connectTimeoutMs`. */
  check(): Promise<TemporalState>
  /** The problem that an error of the client is to a caller; undefined when it is not about the cluster. */
  problemOf(error: unknown): ProblemError | undefined
  /** Throws the problem while the last check found the cluster unusable. */
  demand(): void
  close(): Promise<void>
}

const defaultCallMs = 10_000
/** Longer than the 20 seconds to a minute for which the server holds such a call. */
const pollMs = 70_000
const waitingCalls = ['GetWorkflowExecutionHistory', 'PollWorkflowExecutionUpdate', 'UpdateWorkflowExecution']
/** They are made again soon anyway. */
const checkCalls = ['GetSystemInfo', 'DescribeNamespace', 'ListSearchAttributes']
/** Three more tries within about a second: longer outages are the caller's to judge. */
const maxTries = 4
const healthyEveryMs = 10_000
const faultyEveryMs = 2_000

/**
 * A connection that is made when it is first used, and again whenever it broke: this returns although nothing listens.
 * Looks after the cluster until `close`, and logs when it comes and goes. `tell` hears of each call.
 * @throws temporal_refused when certificates of our own cannot be used
 */
export function connectTemporal(
  target: TemporalTarget,
  { log, clock, tell }: { log: EngineLog; clock: EngineClock; tell?: (reading: MetricReading) => void },
): TemporalConnection {
  const tls = tlsOf(target)
  const unusable = tls && tlsProblem(tls)
  if (unusable !== undefined) throw unusable
  const retries = createRetries()
  const connection = openConnection(target, retries, tell)
  const { namespace, dataConverter } = target
  const client = new Client({
    ...{ connection, namespace, interceptors: clientInterceptors },
    ...(dataConverter && { dataConverter }),
  })
  const ending = new AbortController()
  const checker = createChecker(connection, target, { log, signal: ending.signal })
  const watching = watch(checker, clock, ending.signal)
  return {
    client,
    connection,
    namespace,
    state: checker.state,
    check: checker.check,
    problemOf(error) {
      const found = temporalProblem(error, checker.state())
      if (found?.code === 'temporal_unavailable' && !ending.signal.aborted) void checker.check()
      return found
    },
    demand() {
      const state = checker.state()
      if (state.status === 'faulty') throw faultProblem(state)
    },
    async close() {
      ending.abort()
      await watching
      await retries.end()
      await connection.close()
    },
  }
}

/** The same target for `NativeConnection.connect`, which workers poll with. */
export function nativeOptions(target: TemporalTarget) {
  const { address, apiKey } = target
  return { address, tls: sdkTls(target) ?? false, ...(apiKey !== undefined && { apiKey }) }
}

function openConnection(
  target: TemporalTarget,
  retries: Retries,
  tell: ((reading: MetricReading) => void) | undefined,
): Connection {
  const { connectTimeoutMs = defaultConnectMs, callTimeoutMs = defaultCallMs } = target
  const again = retries.again(maxTries)
  const againOnce = retries.again(2)
  return Connection.lazy({
    ...nativeOptions(target),
    connectTimeout: connectTimeoutMs,
    interceptors: [
      ...(tell === undefined ? [] : [measuring(tell, (path) => isCalled(path, waitingCalls))]),
      (options, next) => {
        const { path } = options.method_definition
        const untilMs = Date.now() + (isCalled(path, waitingCalls) ? pollMs : callTimeoutMs)
        const patient = { ...options, deadline: options.deadline ?? untilMs }
        return isCalled(path, checkCalls) ? againOnce(patient, next) : again(patient, next)
      },
    ],
    // Its own pauses between tries grow to two minutes.
    channelArgs: { 'grpc.initial_reconnect_backoff_ms': 200, 'grpc.max_reconnect_backoff_ms': faultyEveryMs },
  })
}

function sdkTls(target: TemporalTarget) {
  const tls = tlsOf(target)
  if (tls === undefined) return undefined
  const { ca, cert, key, serverName } = tls
  return {
    ...(ca && { serverRootCACertificate: ca }),
    ...(cert && key && { clientCertPair: { crt: cert, key } }),
    ...(serverName !== undefined && { serverNameOverride: serverName }),
  }
}

function isCalled(path: string, names: readonly string[]): boolean {
  return names.some((name) => path.endsWith(`/${name}`))
}

async function watch(checker: Checker, clock: EngineClock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const { status } = await checker.check()
    await clock.sleep(status === 'healthy' ? healthyEveryMs : faultyEveryMs, signal).catch(() => {})
  }
}
