import { systemClock } from '@kyros/kernel/clock'
import { createLog } from '@kyros/kernel/log'
import { createMetrics } from '@kyros/kernel/metrics'
import { createNewId } from '@kyros/kernel/new-id'
import { openStore } from '@kyros/store/open-store'
import type { Store } from '@kyros/store/store'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { observeRuns } from './observe-runs.ts'

const newId = createNewId(systemClock)
const timeMs = Date.UTC(2026, 0, 1)

let lines: string[] = []
let opened: Store
let store: Store
let metrics: ReturnType<typeof createMetrics>
beforeEach(async () => {
  lines = []
  opened = await openStore({ dataDir: ':memory:' })
  metrics = createMetrics({ version: '0' })
  const log = createLog({ destination: { write: (line) => void lines.push(line) } })
  store = observeRuns(opened, { log, metrics })
})
afterEach(() => opened.close())

async function submit(into: Store, more: { traceparent?: string } = {}): Promise<string> {
  const projectId = newId()
  const [jobId, runId] = [newId(), newId()]
  const actor = 'user:x'
  await into.write({
    kind: 'create_project',
    id: projectId,
    name: projectId,
    description: '',
    projectType: 'standard',
    timeMs,
    actor,
  })
  const common = { input: null, createdBy: actor, createdMs: timeMs }
  const data = {
    workflow: 'w',
    version: '1',
    definition: 'd',
    input: null,
    priority: 'medium',
    attempt: 1,
    max_retries: 3,
    timeout_seconds: 60,
    engine_flags: 0,
    sdk_version: '0',
    created_by: actor,
    ...more,
  }
  await into.write({
    kind: 'submit_job',
    job: {
      ...common,
      id: jobId,
      title: 't',
      task: null,
      agentId: null,
      workflow: 'w',
      priority: 'medium',
      projectId,
      metadata: {},
    },
    run: {
      ...common,
      id: runId,
      jobId,
      workflow: 'w',
      version: '1',
      definition: 'd',
      attempt: 1,
      maxRetries: 3,
      timeoutSeconds: 60,
      createdByRole: 'admin',
    },
    events: [{ type: 'run.created', timeMs, data }],
  })
  return runId
}

const messages = () => lines.map((line) => JSON.parse(line).msg)

test('a run is told when it is accepted and when it ended, and counted with its duration', async () => {
  const runId = await submit(store)
  await store.write({
    kind: 'append_run_events',
    runId,
    events: [{ type: 'run.started', timeMs, data: {} }],
  })
  expect(await metrics.text()).toContain('orchestrator_workflows_active{workflow="w"} 1')
  await store.write({
    kind: 'append_run_events',
    runId,
    events: [{ type: 'run.completed', timeMs: timeMs + 2_000, data: { result: null } }],
  })
  expect(messages()).toEqual(['run accepted', 'run completed'])
  const text = await metrics.text()
  expect(text).toContain('orchestrator_workflows_active{workflow="w"} 0')
  expect(text).toContain('orchestrator_workflows_total{workflow="w",status="completed"} 1')
  expect(text).toContain('orchestrator_workflows_duration_seconds_sum{workflow="w"} 2')
})

test('lines of a run carry the id of the trace that its request belongs to', async () => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
  const runId = await submit(store, { traceparent: `00-${trace}-00f067aa0ba902b7-01` })
  const events = [{ type: 'run.completed', timeMs, data: { result: null } }] as const
  await store.write({ kind: 'append_run_events', runId, events })
  await submit(store)
  const traces = lines.map((line) => JSON.parse(line).trace_id)
  expect(traces).toEqual([trace, trace, undefined])
})

test('the end of a run that began before this process leaves no negative count', async () => {
  const runId = await submit(opened)
  await store.write({
    kind: 'append_run_events',
    runId,
    events: [{ type: 'run.cancelled', timeMs, data: { reason: 'x' } }],
  })
  // Such a run is looked up first, and the write does not wait for that.
  await expect.poll(messages).toEqual(['run cancelled'])
  expect(await metrics.text()).toContain('orchestrator_workflows_active{workflow="w"} 0')
})

test('a write that is refused is not told', async () => {
  await expect(
    store.write({
      kind: 'append_run_events',
      runId: newId(),
      events: [{ type: 'run.started', timeMs, data: {} }],
    }),
  ).rejects.toThrow()
  expect(lines).toEqual([])
})
