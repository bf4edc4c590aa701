import { clusterMetrics, coreReadings, type MetricReading } from '@kyros/engine/temporal/cluster-metrics'
import { measureSdk } from '@kyros/engine/temporal/load-sdk'
import type { TemporalWorker } from '@kyros/engine/temporal/temporal-worker'
import { addFamilies } from '@kyros/kernel/metric-families'
import type { Metrics } from '@kyros/kernel/metrics'

/** More often than Temporal's core fills what it keeps, also when nobody asks for the metrics. */
const readEveryMs = 500
/** The same for calls of the client. */
const maxCalls = 10_000

export type ClusterMetering = {
  /** What a call of the client came to. */
  tell(reading: MetricReading): void
  /** Its slots are among the metrics from now on. */
  watch(worker: Pick<TemporalWorker, 'metrics'>): void
  end(): void
}

/** Puts what is known of a process's side of the cluster among its metrics. Must be called before the SDK is loaded. */
export function meterCluster(metrics: Metrics, prefix: string): ClusterMetering {
  measureSdk()
  let calls: MetricReading[] = []
  let worker: Pick<TemporalWorker, 'metrics'> | undefined
  const read = function* () {
    const told = calls
    calls = []
    yield* told
    yield* coreReadings()
    yield* worker?.metrics() ?? []
  }
  const refresh = addFamilies(metrics.registry, { prefix, families: clusterMetrics, read })
  const reading = setInterval(refresh, readEveryMs)
  reading.unref()
  return {
    tell: (one) => {
      if (calls.length < maxCalls) calls.push(one)
    },
    watch: (made) => {
      worker = made
    },
    end: () => clearInterval(reading),
  }
}
