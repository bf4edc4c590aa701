import { type ProblemError, problem } from '@kyros/contract/problem'
import { isGrpcServiceError } from '@temporalio/client'
import { NamespaceNotFoundError } from '@temporalio/common'

/** What a cluster that cannot be used is called towards users. */
export type TemporalProblemCode = 'temporal_unavailable' | 'temporal_namespace_missing' | 'temporal_refused'

/** What is wrong, and what to do about it, in a sentence each. */
export type TemporalFault = { code: TemporalProblemCode; what: string; mend: string }

/** What was last seen of the cluster. */
export type TemporalState =
  | { status: 'unknown' }
  | { status: 'healthy'; serverVersion: string }
  | ({ status: 'faulty'; serverVersion?: string } & TemporalFault)

/** The statuses of gRPC that say something about the cluster, by their numbers on the wire. */
export const grpcStatus = {
  cancelled: 1,
  unknown: 2,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  aborted: 10,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const

/** Seconds after which a call is worth another try. */
export const retryAfterSeconds = 5

const away = new Set<number>([
  grpcStatus.cancelled,
  grpcStatus.unknown,
  grpcStatus.deadlineExceeded,
  grpcStatus.resourceExhausted,
  grpcStatus.aborted,
  grpcStatus.internal,
  grpcStatus.unavailable,
  grpcStatus.dataLoss,
])
const refused = new Set<number>([
  grpcStatus.permissionDenied,
  grpcStatus.unauthenticated,
  grpcStatus.unimplemented,
])

const maxCauses = 5

/** The number of the gRPC status behind an error of the SDK; undefined when the cluster did not speak. */
export function grpcStatusOf(error: unknown): number | undefined {
  let one = error
  for (let depth = 0; depth < maxCauses && one instanceof Error; depth += 1) {
    if (isGrpcServiceError(one)) return one.code
    one = one.cause
  }
  return undefined
}

/**
 * What the caller is told of an error of Temporal's client. `state` is what the last check of the cluster found: when it
 * knows why nothing answers, that is said. Undefined for what is not about the cluster: a run that it does not have, a
 * request that it finds wrong, a bug of ours.
 */
export function temporalProblem(
  error: unknown,
  state: TemporalState = { status: 'unknown' },
): ProblemError | undefined {
  const fault = faultOf(error, state)
  return fault === undefined ? undefined : faultProblem(fault, error)
}

/** The problem that a fault is to whoever needs the cluster now. */
export function faultProblem({ code, what, mend }: TemporalFault, cause?: unknown): ProblemError {
  const again = code === 'temporal_unavailable' ? { retryAfterSeconds } : {}
  return problem(code, { detail: `${what} ${mend}`, ...again, ...(cause === undefined ? {} : { cause }) })
}

function faultOf(error: unknown, state: TemporalState): TemporalFault | undefined {
  if (error instanceof NamespaceNotFoundError) return missingNamespace('Temporal', error.namespace)
  const status = grpcStatusOf(error)
  if (status === undefined || !(away.has(status) || refused.has(status))) return undefined
  // The last check looked closer than the status of a call can.
  if (state.status === 'faulty') return state
  if (away.has(status)) {
    const mend = `Try again in ${retryAfterSeconds} seconds; \`kyros doctor\` says what is wrong.`
    return { code: 'temporal_unavailable', what: 'Temporal does not answer.', mend }
  }
  const mend = '`kyros doctor` says what to change.'
  return { code: 'temporal_refused', what: 'Temporal refuses what Kyros asks of it.', mend }
}

/** The fault of a namespace that is not there. */
export function missingNamespace(who: string, namespace: string): TemporalFault {
  const create = `temporal operator namespace create --namespace ${namespace}`
  return {
    code: 'temporal_namespace_missing',
    what: `${who} has no namespace ${namespace}.`,
    mend: `Create it (${create}), or mend temporal.namespace.`,
  }
}
