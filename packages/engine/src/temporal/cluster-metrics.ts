import type { WorkerStatus } from '@temporalio/worker'
import { bufferedMetrics } from './load-sdk.ts'

/** A metric and its labels, each of which has few values. Durations are in seconds. */
export type MetricFamily = {
  readonly name: string
  readonly help: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly labels: readonly string[]
}

/** What happened since it was last asked for; of a gauge, how it is now. */
export type MetricReading = {
  readonly name: string
  readonly value: number
  readonly labels: Readonly<Record<string, string>>
}

const counter = (name: string, help: string, ...labels: string[]) =>
  ({ name, help, kind: 'counter', labels }) as const
const gauge = (name: string, help: string, ...labels: string[]) =>
  ({ name, help, kind: 'gauge', labels }) as const
const histogram = (name: string, help: string, ...labels: string[]) =>
  ({ name, help, kind: 'histogram', labels }) as const

/** What an operator sees of a process's side of the cluster. */
export const clusterMetrics: readonly MetricFamily[] = [
  counter('requests_total', 'Calls of the cluster, by the client or a worker', 'side', 'operation'),
  counter('request_failures_total', 'Calls that failed', 'side', 'operation', 'status'),
  histogram('request_duration_seconds', 'Time of a call that does not wait for work', 'side', 'operation'),
  counter('polls_total', 'Polls that brought a task, or none in their time', 'kind', 'result'),
  histogram('turn_wait_seconds', 'Time for which a turn of a run waited for a worker'),
  histogram('turn_duration_seconds', 'Time in which a worker did a turn of a run'),
  histogram('turn_replay_seconds', 'Time in which a worker replayed the history of a run'),
  counter('turn_failures_total', 'Turns that failed', 'reason'),
  histogram('attempt_wait_seconds', 'Time for which an attempt waited for a worker'),
  histogram('attempt_duration_seconds', 'Time in which a worker did an attempt', 'kind'),
  counter('attempt_failures_total', 'Attempts that failed', 'kind', 'reason'),
  counter('cached_runs_hits_total', 'Turns whose run the worker had in memory'),
  counter('cached_runs_misses_total', 'Turns whose run the worker had to replay'),
  counter('cached_runs_evictions_total', 'Runs that a worker put out of its memory'),
  gauge('cached_runs', 'Runs in memory'),
  gauge('slots_used', 'Turns, attempts and inline attempts under way', 'kind'),
  gauge('slots_available', 'How many more there may be', 'kind'),
  gauge('builds', 'Builds that the worker serves'),
]

type Source = { name: string; labels?: Record<string, string>; from?: Record<string, string> }

/** The core's metrics by their names: ours, what it says besides, and which of its attributes we keep. */
const sources: { readonly [core: string]: Source } = {
  request: { name: 'requests_total', labels: { side: 'worker' }, from: { operation: 'operation' } },
  long_request: { name: 'requests_total', labels: { side: 'worker' }, from: { operation: 'operation' } },
  request_failure: {
    name: 'request_failures_total',
    labels: { side: 'worker' },
    from: { operation: 'operation', status: 'status_code' },
  },
  long_request_failure: {
    name: 'request_failures_total',
    labels: { side: 'worker' },
    from: { operation: 'operation', status: 'status_code' },
  },
  request_latency: {
    name: 'request_duration_seconds',
    labels: { side: 'worker' },
    from: { operation: 'operation' },
  },
  workflow_task_queue_poll_succeed: { name: 'polls_total', labels: { kind: 'turn', result: 'task' } },
  workflow_task_queue_poll_empty: { name: 'polls_total', labels: { kind: 'turn', result: 'empty' } },
  activity_task_received: { name: 'polls_total', labels: { kind: 'attempt', result: 'task' } },
  activity_poll_no_task: { name: 'polls_total', labels: { kind: 'attempt', result: 'empty' } },
  workflow_task_schedule_to_start_latency: { name: 'turn_wait_seconds' },
  workflow_task_execution_latency: { name: 'turn_duration_seconds' },
  workflow_task_replay_latency: { name: 'turn_replay_seconds' },
  workflow_task_execution_failed: { name: 'turn_failures_total', from: { reason: 'failure_reason' } },
  activity_schedule_to_start_latency: { name: 'attempt_wait_seconds' },
  activity_execution_latency: { name: 'attempt_duration_seconds', labels: { kind: 'attempt' } },
  activity_execution_failed: {
    name: 'attempt_failures_total',
    labels: { kind: 'attempt' },
    from: { reason: 'failure_reason' },
  },
  local_activity_execution_latency: { name: 'attempt_duration_seconds', labels: { kind: 'inline' } },
  local_activity_execution_failed: {
    name: 'attempt_failures_total',
    labels: { kind: 'inline' },
    from: { reason: 'failure_reason' },
  },
  sticky_cache_hit: { name: 'cached_runs_hits_total' },
  sticky_cache_miss: { name: 'cached_runs_misses_total' },
  sticky_cache_total_forced_eviction: { name: 'cached_runs_evictions_total' },
}

const corePrefix = 'temporal_'

type Attributes = Readonly<Record<string, string | number | boolean>>

/** A metric of the core in our words; undefined for what is not shown. */
export function fromCore(core: string, value: number, attributes: Attributes): MetricReading | undefined {
  const name = core.startsWith(corePrefix) ? core.slice(corePrefix.length) : core
  const source = Object.hasOwn(sources, name) ? sources[name] : undefined
  if (source === undefined) return undefined
  const kept = Object.entries(source.from ?? {}).map(([label, attribute]) => [
    label,
    String(attributes[attribute] ?? 'unknown'),
  ])
  return { name: source.name, value, labels: { ...source.labels, ...Object.fromEntries(kept) } }
}

/** What the core has measured since this was last called; it keeps 50,000 measurements at most. */
export function* coreReadings(): Generator<MetricReading> {
  for (const { metric, value, attributes } of bufferedMetrics()) {
    const reading = fromCore(metric.name, value, attributes)
    if (reading !== undefined) yield reading
  }
}

type Measured = {
  getStatus(): Pick<
    WorkerStatus,
    | 'numCachedWorkflows'
    | 'numInFlightWorkflowActivations'
    | 'numInFlightNonLocalActivities'
    | 'numInFlightLocalActivities'
  >
}
type Limits = { turns: number; attempts: number; inline: number }

/** How the workers of a process are: one for each build, each with turns of its own; they share the slots of attempts. */
export function workerReadings(workers: readonly Measured[], limits: Limits): MetricReading[] {
  const statuses = workers.map((worker) => worker.getStatus())
  const sum = (of: keyof ReturnType<Measured['getStatus']>) =>
    statuses.reduce((total, status) => total + status[of], 0)
  const slots = (kind: string, used: number, limit: number): MetricReading[] => [
    { name: 'slots_used', value: used, labels: { kind } },
    { name: 'slots_available', value: Math.max(0, limit - used), labels: { kind } },
  ]
  return [
    { name: 'builds', value: workers.length, labels: {} },
    { name: 'cached_runs', value: sum('numCachedWorkflows'), labels: {} },
    ...slots('turn', sum('numInFlightWorkflowActivations'), limits.turns * workers.length),
    ...slots('attempt', sum('numInFlightNonLocalActivities'), limits.attempts),
    ...slots('inline', sum('numInFlightLocalActivities'), limits.inline),
  ]
}
