import type { BufferedMetricUpdate, MetricsBuffer } from '@temporalio/worker'
import { textOf } from '../error-text.ts'

let loading: ReturnType<typeof load> | undefined
let isMeasured = false
let buffer: Buffered | undefined

type Buffered = Pick<MetricsBuffer, 'retrieveUpdates'>

/** From its first load on the core keeps what it measures, for `bufferedMetrics`. Whoever asks for that reads it often. */
export function measureSdk(): void {
  isMeasured = true
}

/** What the core has measured since this was last called. */
export function bufferedMetrics(): Iterable<BufferedMetricUpdate> {
  return buffer?.retrieveUpdates() ?? []
}

const maxBufferedMetrics = 50_000

/** Temporal's worker, with its native core: 176 MB on disk, loaded when it is first needed. */
export function loadSdk() {
  loading ??= load()
  return loading
}

async function load() {
  const { bundleWorkflowCode, DefaultLogger, MetricsBuffer, NativeConnection, Runtime, Worker } =
    await import('@temporalio/worker')
  // What it has to say comes back as results and errors; the core's own log would only double it.
  const logger = new DefaultLogger('ERROR', () => {})
  const made = isMeasured
    ? new MetricsBuffer({ maxBufferSize: maxBufferedMetrics, useSecondsForDurations: true })
    : undefined
  const metrics = made === undefined ? {} : { metrics: { buffer: made } }
  try {
    Runtime.install({ logger, telemetryOptions: { logging: { filter: 'off' }, ...metrics } })
    buffer = made
  } catch (error) {
    // Somebody else in this process has installed one.
    if (!textOf(error).includes('already')) throw error
  }
  return { bundleWorkflowCode, Worker, NativeConnection, Runtime, logger }
}
