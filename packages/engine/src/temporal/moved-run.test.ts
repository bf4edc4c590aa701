import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Json } from '@kyros/contract/json'
import { problem } from '@kyros/contract/problem'
import { openStore } from '@kyros/store/open-store'
import type { RunRecord } from '@kyros/store/store'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { prepareDefinitions } from '../definitions/definitions.ts'
import { createEmbeddedRig, testClock } from '../embedded/embedded-rig.ts'
import { createRunGates } from '../embedded/run-gates.ts'
import { createTimers } from '../embedded/timers.ts'
import { askingWorkflow, askingWorkflows } from '../fixtures/catalogue.ts'
import { type EngineRig, gate, owner, plain, record, submit, until } from '../suite/rig.ts'
import type { NewExecution } from './cluster.ts'
import { findRun } from './pending-run.ts'
import { PendingTable } from './pending-table.ts'
import { startOf } from './start-run.ts'

const workflows = [...askingWorkflows, askingWorkflow('relaying')]
const key = { id: 'suite-01', key: new Uint8Array(32).fill(7) }
let rig: EngineRig
let before: (runId: string) => Promise<void>
/** What a cluster was given, by run: the same again is the same execution. */
let given: Map<string, NewExecution>
let starts: number
let isAway: boolean

beforeEach(async () => {
  given = new Map()
  starts = 0
  isAway = false
  before = async () => {}
  const store = await openStore({ dataDir: ':memory:' })
  const steps = {
    ...plain,
    First: async (input: Json, { runId }: { runId: string }) => {
      await before(runId)
      return input
    },
  }
  rig = await createEmbeddedRig({ store, steps, workflows, change: { handsOver: () => true } })
})
afterEach(() => rig.stop())

async function moved(workflow: string, input: Json, timeoutSeconds = 60): Promise<RunRecord> {
  const runId = await submit(rig, workflow, input, { timeoutSeconds })
  return until(
    () => record(rig, runId),
    ({ engine }) => engine === 'temporal',
  )
}

/** As in a process that has just come to move runs on the cluster. */
async function openTable() {
  const { store } = rig
  const definitions = await prepareDefinitions({
    ...{ store, workflows, nowMs: () => Date.now(), cacheDir: join(tmpdir(), 'kyros-engine-test-cache') },
  })
  const gates = createRunGates({ onAdmitted: () => {}, cancel: () => {} })
  gates.open()
  const table: PendingTable = new PendingTable({
    ...{ store, definitions, gates, clock: testClock, timers: createTimers(testClock) },
    log: () => {},
    holds: () => true,
    start: async (run) => {
      if (isAway) throw problem('temporal_unavailable', { detail: 'away' })
      starts += 1
      const start = startOf(run, 'build', key, Date.now())
      if (!given.has(start.runId)) given.set(start.runId, start)
    },
    isStarted: async (runId) => given.has(runId),
    onStarted: () => {},
  })
  return { table, gates }
}

test('a run that comes from the embedded engine begins on the cluster with its next part', async () => {
  const [began, go] = [gate(), gate()]
  before = async () => {
    began.arrive()
    await go.opened
  }
  const runId = await submit(rig, 'relaying', { parts: 3 })
  await began.came
  await rig.engine.signal(runId, 'other', 'kept', owner)
  await rig.engine.setBudget(runId, { tokens: 100 }, owner)
  await rig.engine.reportUsage(runId, { tokens: 7, costUsd: 0.5 })
  await rig.engine.pause(runId, owner)
  go.open()
  await until(
    () => record(rig, runId),
    ({ engine }) => engine === 'temporal',
  )
  const { table } = await openTable()
  expect(await table.takeUp(runId)).toBe('pending')
  const { definition, version } = await record(rig, runId)
  expect(given.get(runId)).toMatchObject({
    input: { parts: 3 },
    started: {
      ...{ part: 1, moved: true, version, attempt: 1, carried: [{ signal: 'other', payload: 'kept' }] },
      live: {
        ...{ definition, depth: 0, limits: { tokens: 100 }, used: { tokens: 7, costUsd: 0.5 } },
        ...{ paused: { by: owner.id }, activeMs: expect.any(Number) },
      },
    },
  })
  expect(given.get(runId)?.timeoutSeconds).toBeLessThanOrEqual(60)
  expect(given.get(runId)?.timeoutSeconds).toBeGreaterThan(50)
  table.close()
})

test('a loop takes its state along, and of its time what is left', async () => {
  before = async () => {}
  const large = 'x'.repeat(900_000)
  await rig.restart({ steps: { ...plain, First: async () => large } })
  const { id: runId } = await moved('looping', { rounds: 30 }, 3)
  await until(
    async () => Date.now() - Date.parse((await record(rig, runId)).started_at ?? ''),
    (ageMs) => ageMs > 1_000,
  )
  const { table } = await openTable()
  await table.takeUp(runId)
  expect(given.get(runId)?.started.loop).toEqual({ state: { round: 13, parts: [0] } })
  expect(given.get(runId)?.timeoutSeconds).toBeLessThan(2)
  table.close()
})

test('a process that dies after any step of taking a run up leaves it to the next, which starts the same', async () => {
  const { id: runId, run_seq } = await moved('continuing', { parts: 3, sum: 0 })
  isAway = true
  const first = await openTable()
  await first.table.takeUp(runId)
  first.table.close()
  expect(given.size).toBe(0)
  isAway = false
  // It gave the run to the cluster, and did not live to see it in the log.
  const second = await openTable()
  await second.table.takeUp(runId)
  second.table.close()
  const third = await openTable()
  await third.table.takeUp(runId)
  third.table.close()
  expect([starts, given.size]).toEqual([2, 1])
  expect((await record(rig, runId)).run_seq).toBe(run_seq)
})

test('what is asked of it waits until the cluster has it, and is then for its definition', async () => {
  const { id: runId, run_seq } = await moved('continuing', { parts: 3, sum: 0 })
  const { table } = await openTable()
  isAway = true
  const decide = () => {
    throw new Error('nothing is decided for a run that has begun')
  }
  await expect(table.change(runId, decide, 7)).rejects.toMatchObject({ code: 'temporal_unavailable' })
  isAway = false
  expect(await table.change(runId, decide, 7)).toBe(false)
  expect(given.has(runId)).toBe(true)
  expect((await record(rig, runId)).run_seq).toBe(run_seq)
  table.close()
})

test('it enters as one that is under way, also where that is one too many', async () => {
  const { table, gates } = await openTable()
  gates.hold({ key: 'relaying', limit: 1, onConflict: 'queue' }, 'another run')
  const { id: runId } = await moved('relaying', { parts: 2 })
  await table.takeUp(runId)
  expect(given.has(runId)).toBe(true)
  expect(gates.explain(runId)?.holders).toEqual(['another run', runId])
  table.close()
})

test('once its log has something of the cluster it is not started again', async () => {
  const { id: runId } = await moved('continuing', { parts: 3, sum: 0 })
  expect(await findRun(rig.store, runId)).toMatchObject({ kind: 'pending' })
  const scheduled = { step: 'First', key: 'First~1', command: 1, input: 1, max_attempts: 3, history: '1/5' }
  await rig.store.write({
    ...{ kind: 'append_run_events', runId },
    events: [{ type: 'step.scheduled', timeMs: Date.now(), data: scheduled }],
  })
  expect(await findRun(rig.store, runId)).toEqual({ kind: 'started' })
})
