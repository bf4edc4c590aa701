import type { makeGrpcRetryInterceptor } from '@temporalio/client'
import type { MetricReading } from './cluster-metrics.ts'

type Interceptor = ReturnType<typeof makeGrpcRetryInterceptor>

/** Tells of each call of the client how long it took and how it ended, its tries together. */
export function measuring(
  tell: (reading: MetricReading) => void,
  isWaiting: (path: string) => boolean,
): Interceptor {
  return (options, next) => {
    const { path } = options.method_definition
    const call = next(options)
    const start = call.start.bind(call)
    call.start = (metadata, listener) => {
      const beganMs = performance.now()
      start(metadata, {
        onReceiveMetadata: (received) => listener?.onReceiveMetadata?.(received),
        onReceiveMessage: (message: unknown) => listener?.onReceiveMessage?.(message),
        onReceiveStatus: (status) => {
          const seconds = (performance.now() - beganMs) / 1000
          for (const reading of readingsOf(path, status.code, isWaiting(path) ? undefined : seconds))
            tell(reading)
          listener?.onReceiveStatus?.(status)
        },
      })
    }
    // Border cast: gRPC's types ask for its own class, which whatever `next` gives is used as.
    return call as ReturnType<Interceptor>
  }
}

function readingsOf(path: string, code: number, seconds: number | undefined): MetricReading[] {
  const labels = { side: 'client', operation: path.slice(path.lastIndexOf('/') + 1) }
  const status = statuses[code] ?? 'UNKNOWN'
  return [
    { name: 'requests_total', value: 1, labels },
    ...(code === 0 ? [] : [{ name: 'request_failures_total', value: 1, labels: { ...labels, status } }]),
    ...(seconds === undefined ? [] : [{ name: 'request_duration_seconds', value: seconds, labels }]),
  ]
}

/** Of gRPC, by their numbers. */
const statuses: readonly string[] = [
  ...['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS'],
  ...['PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE'],
  ...['UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED'],
]
