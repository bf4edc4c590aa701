import { expect, test } from 'vitest'
import { clusterMetrics, fromCore, workerReadings } from './cluster-metrics.ts'

const attributes = {
  namespace: 'default',
  task_queue: 'q',
  workflow_type: 'w',
  operation: 'PollActivityTaskQueue',
}

test.each([
  ['temporal_workflow_task_queue_poll_empty', 'polls_total', { kind: 'turn', result: 'empty' }],
  ['temporal_long_request', 'requests_total', { side: 'worker', operation: 'PollActivityTaskQueue' }],
  ['temporal_local_activity_execution_latency', 'attempt_duration_seconds', { kind: 'inline' }],
  ['temporal_workflow_task_execution_failed', 'turn_failures_total', { reason: 'unknown' }],
])('%s is told as %s', (core, name, labels) => {
  expect(fromCore(core, 2, attributes)).toEqual({ name, value: 2, labels })
  const family = clusterMetrics.find((one) => one.name === name)
  expect(Object.keys(labels).toSorted()).toEqual([...(family?.labels ?? [])].toSorted())
})

test('what the core measures beside that is not shown', () => {
  expect(fromCore('temporal_workflow_completed', 1, attributes)).toBeUndefined()
  expect(fromCore('toString', 1, attributes)).toBeUndefined()
})

test('the slots of several builds are counted together', () => {
  const status = {
    ...{ numCachedWorkflows: 3, numInFlightWorkflowActivations: 1 },
    ...{ numInFlightNonLocalActivities: 2, numInFlightLocalActivities: 1 },
  }
  const workers = [{ getStatus: () => status }, { getStatus: () => status }]
  const readings = workerReadings(workers, { turns: 40, attempts: 256, inline: 10 })
  expect(readings.map(({ name, value, labels }) => [name, labels.kind, value])).toEqual([
    ['builds', undefined, 2],
    ['cached_runs', undefined, 6],
    ['slots_used', 'turn', 2],
    ['slots_available', 'turn', 78],
    ['slots_used', 'attempt', 4],
    ['slots_available', 'attempt', 252],
    ['slots_used', 'inline', 2],
    ['slots_available', 'inline', 8],
  ])
})
