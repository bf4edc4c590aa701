import type { Connection } from '@temporalio/client'
import type { DataConverter } from '@temporalio/common'
import type { EngineLog } from '../embedded/engine-parts.ts'
import { textOf } from '../error-text.ts'
import { connectionFault, endpointOf, type Patience, type TemporalTls } from './connection-fault.ts'
import { searchFault } from './search-check.ts'
import type { SearchKinds } from './search-kinds.ts'
import {
  grpcStatus,
  grpcStatusOf,
  missingNamespace,
  type TemporalFault,
  type TemporalState,
} from './temporal-problem.ts'

export type TemporalTarget = {
  /** `host:port`; 7233 when it has no port. */
  address: string
  namespace: string
  /** `{}`: with Node's own list of signers. Left out: without TLS, unless there is an API key. */
  tls?: TemporalTls | false
  apiKey?: string
  /** How long the cluster may take before a check finds it away. Default: 5 seconds. */
  connectTimeoutMs?: number
  /** How long a call may take that sets no deadline itself; one that waits for news gets 70 seconds. Default: 10 seconds. */
  callTimeoutMs?: number
  dataConverter?: DataConverter
  /** Search attributes that the namespace must have. */
  searchAttributes?: SearchKinds
}

/**
 * The first server with worker deployment versioning, by which runs stay with their code: `versioningOverride`,
 * `UpdateWorkflowExecutionOptions` and pinned builds, all without switches of the server's configuration.
 */
export const oldestServer = '1.28.0'

export const defaultConnectMs = 5_000

/** Undefined: without TLS. */
export function tlsOf({ tls, apiKey }: TemporalTarget): TemporalTls | undefined {
  if (tls === false) return undefined
  return tls ?? (apiKey === undefined ? undefined : {})
}

export type Checker = { state(): TemporalState; check(): Promise<TemporalState> }

/** Checks one at a time: who asks during one gets its answer. */
export function createChecker(
  connection: Connection,
  target: TemporalTarget,
  { log, signal }: { log: EngineLog; signal: AbortSignal },
): Checker {
  let state: TemporalState = { status: 'unknown' }
  let checking: Promise<TemporalState> | undefined
  const check = async () => {
    const before = state
    const found = await lookAt(connection, target, signal).catch(unasked)
    checking = undefined
    if (signal.aborted) return state
    state = found
    if (isNews(before, state)) tell(state, target, log)
    return state
  }
  return {
    state: () => state,
    check() {
      checking ??= check()
      return checking
    },
  }
}

function isNews(before: TemporalState, now: TemporalState): boolean {
  if (before.status !== now.status) return true
  return before.status === 'faulty' && now.status === 'faulty' && before.what !== now.what
}

function tell(state: TemporalState, { address, namespace }: TemporalTarget, log: EngineLog): void {
  if (state.status === 'faulty') log('warn', `${state.what} ${state.mend}`)
  if (state.status === 'healthy')
    log('info', `Temporal ${state.serverVersion} at ${address} answers, namespace ${namespace}.`)
}

function unasked(error: unknown): TemporalState {
  return {
    status: 'faulty',
    code: 'temporal_unavailable',
    what: `Temporal cannot be asked: ${textOf(error)}`,
    mend: 'Mend temporal.* in the configuration.',
  }
}

async function lookAt(
  connection: Connection,
  target: TemporalTarget,
  signal: AbortSignal,
): Promise<TemporalState> {
  const { connectTimeoutMs = defaultConnectMs, namespace } = target
  const { workflowService } = connection
  let serverVersion: string | undefined
  let unsearchable: TemporalFault | undefined
  try {
    const ask = async () => {
      serverVersion = (await workflowService.getSystemInfo({})).serverVersion || undefined
      await workflowService.describeNamespace({ namespace })
      unsearchable = await searchFaultOf(connection, target)
    }
    await askInTime(connection, ask, { timeoutMs: connectTimeoutMs, signal })
  } catch (error) {
    return {
      status: 'faulty',
      ...(serverVersion && { serverVersion }),
      ...(await faultOf(error, target, signal)),
    }
  }
  const old = versionFault(target, serverVersion)
  const fault = old ?? unsearchable
  if (fault !== undefined) return { status: 'faulty', ...(serverVersion && { serverVersion }), ...fault }
  return { status: 'healthy', serverVersion: serverVersion ?? 'of an unknown version' }
}

/** A cluster that does not say what it has, as Temporal Cloud may, is believed to have them. */
async function searchFaultOf(
  { operatorService }: Connection,
  { address, namespace, searchAttributes = {} }: TemporalTarget,
): Promise<TemporalFault | undefined> {
  if (Object.keys(searchAttributes).length === 0) return undefined
  try {
    const registered = await operatorService.listSearchAttributes({ namespace })
    return searchFault(searchAttributes, registered, { at: `Temporal at ${address}`, namespace })
  } catch (error) {
    const status = grpcStatusOf(error)
    if (status === grpcStatus.unimplemented || status === grpcStatus.permissionDenied) return undefined
    throw error
  }
}

/** The SDK never takes its listeners off a signal: each look gets one of its own. */
async function askInTime(
  connection: Connection,
  ask: () => Promise<void>,
  { timeoutMs, signal }: Patience,
): Promise<void> {
  const own = new AbortController()
  const end = () => own.abort()
  signal.addEventListener('abort', end, { once: true })
  try {
    const untilMs = Date.now() + timeoutMs
    await connection.withAbortSignal(own.signal, () => connection.withDeadline(untilMs, ask))
  } finally {
    signal.removeEventListener('abort', end)
  }
}

async function faultOf(error: unknown, target: TemporalTarget, signal: AbortSignal): Promise<TemporalFault> {
  const { address, namespace, apiKey, connectTimeoutMs = defaultConnectMs } = target
  const at = `Temporal at ${address}`
  switch (grpcStatusOf(error)) {
    case grpcStatus.notFound:
      return missingNamespace(at, namespace)
    case grpcStatus.unauthenticated:
    case grpcStatus.permissionDenied:
      return keyFault(at, namespace, apiKey)
    case grpcStatus.unimplemented:
      return tooOld(at, undefined)
    case undefined:
      throw error
    default:
      return await connectionFault(endpointOf(address, tlsOf(target)), {
        timeoutMs: connectTimeoutMs,
        signal,
      })
  }
}

function keyFault(at: string, namespace: string, apiKey: string | undefined): TemporalFault {
  return apiKey === undefined
    ? {
        code: 'temporal_refused',
        what: `${at} does not let Kyros use the namespace ${namespace}.`,
        mend: 'Set temporal.api_key, or temporal.tls.cert and temporal.tls.key.',
      }
    : {
        code: 'temporal_refused',
        what: `${at} does not take the API key for the namespace ${namespace}: it is wrong, over, or of another account.`,
        mend: 'Mend temporal.api_key.',
      }
}

function versionFault(target: TemporalTarget, version: string | undefined): TemporalFault | undefined {
  const found = /^(\d+)\.(\d+)/.exec(version ?? '')
  if (found === null) return undefined
  const [major = 0, minor = 0] = oldestServer.split('.').map(Number)
  const isOld = Number(found[1]) < major || (Number(found[1]) === major && Number(found[2]) < minor)
  if (!isOld) return undefined
  return tooOld(`Temporal at ${target.address}`, version)
}

function tooOld(at: string, version: string | undefined): TemporalFault {
  const what = version === undefined ? 'does not know what Kyros asks' : `is of version ${version}`
  return {
    code: 'temporal_refused',
    what: `${at} ${what}.`,
    mend: `Upgrade it to ${oldestServer} or later: runs are pinned to their code by worker deployment versioning.`,
  }
}
