import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '@kyros/store/open-store'
import type { Store } from '@kyros/store/store'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { prepareDefinitions } from '../definitions/definitions.ts'
import { createProject, newId, testClock } from '../embedded/embedded-rig.ts'
import { messageOf } from '../embedded/operations/operate.ts'
import { createRunGates } from '../embedded/run-gates.ts'
import { createSubmitter } from '../embedded/submit.ts'
import { createTimers } from '../embedded/timers.ts'
import { testWorkflows } from '../fixtures/catalogue.ts'
import { owner } from '../suite/rig.ts'
import { PendingTable } from './pending-table.ts'
import { RunMessages } from './run-messages.ts'

let store: Store
let table: PendingTable
let messages: RunMessages
let runId: string
/** What a cluster does: whether it has the run, and the signals that it was given. */
let isThere: boolean
let signals: string[]
let updates: string[]

beforeEach(async () => {
  isThere = false
  signals = []
  updates = []
  store = await openStore({ dataDir: ':memory:' })
  const gates = createRunGates({ onAdmitted: () => {}, cancel: () => {} })
  gates.open()
  const cacheDir = join(tmpdir(), 'kyros-engine-test-cache')
  const nowMs = () => Date.now()
  const definitions = await prepareDefinitions({ store, nowMs, workflows: testWorkflows, cacheDir })
  table = new PendingTable({
    ...{ store, definitions, gates, clock: testClock, timers: createTimers(testClock), log: () => {} },
    holds: () => true,
    start: async () => {},
    isStarted: async () => false,
    onStarted: () => {},
  })
  const given = async (_runId: string, name: string) => {
    if (isThere) signals.push(name)
    return isThere
  }
  const asked = async () => isThere
  const beginUpdate = async (_runId: string, _name: string, _args: unknown, updateId: string) => {
    updates.push(updateId)
    return isThere
  }
  const cluster = { signal: given, cancel: asked, terminate: asked, beginUpdate }
  messages = new RunMessages({ store, clock: testClock, cluster, pending: table })
  const { submit } = createSubmitter({
    ...{ store, definitions, gates, clock: testClock, engine: 'temporal' },
    mustAnnounce: () => true,
    epoch: () => undefined,
    prepare: async () => undefined,
    onAccepted: async () => {},
  })
  runId = newId()
  await submit({
    ...{ jobId: newId(), runId, title: 'test', task: null, agentId: null, workflow: 'sequence', input: null },
    ...{ priority: 'medium', projectId: await createProject(store), metadata: {}, maxRetries: 0 },
    ...{ timeoutSeconds: 60, principal: owner, timeMs: Date.now(), runAtMs: Date.now() + 3_600_000 },
  })
})
afterEach(async () => {
  table.close()
  await store.close()
})

const signal = (number: number) => ({
  id: number,
  message: { type: 'signal', runId, signal: `s${number}`, payload: null, actor: 'user:ada' } as const,
})

test('of however many messages came before the start, none is taken again after it', async () => {
  await table.takeUp(runId)
  for (let number = 1; number <= 520; number++) await messages.obey(signal(number))
  const record = await store.runs.get(runId)
  expect(record?.run_seq).toBeGreaterThan(520)
  // The cluster began it, and said so in its history.
  const started = { type: 'run.started', timeMs: Date.now(), data: { history: '0/3' } } as const
  await store.write({ kind: 'append_run_events', runId, events: [started] })
  isThere = true
  table.reset()
  for (const number of [1, 510, 520]) await messages.obey(signal(number))
  expect(signals).toEqual([])
  await messages.obey(signal(521))
  expect(signals).toEqual(['s521'])
})

test('a message for a run that the cluster does not have is kept until the run has ended', async () => {
  const started = { type: 'run.started', timeMs: Date.now(), data: { history: '0/3' } } as const
  await store.write({ kind: 'append_run_events', runId, events: [started] })
  await expect(messages.obey(signal(1))).rejects.toMatchObject({ code: 'service_not_ready' })
  const cancelled = { type: 'run.cancelled', timeMs: Date.now(), data: { reason: 'enough' } } as const
  await store.write({ kind: 'append_run_events', runId, events: [cancelled] })
  await messages.obey(signal(1))
  expect(signals).toEqual([])
})

test('an update that an earlier part of the run took is not taken again', async () => {
  const timeMs = Date.now()
  const taken = { update: 'add', update_id: 'u-1', payload: 1 }
  const next = { input: null, definition: '', version: '1.0.0', carried: [], part: 1, history: '1/1' }
  const events = [
    { type: 'run.started', timeMs, data: { history: '0/3' } },
    { type: 'update.accepted', timeMs, data: { ...taken, history: '0/5' } },
    { type: 'run.continued', timeMs, data: next },
  ] as const
  await store.write({ kind: 'append_run_events', runId, events })
  isThere = true
  const update = (updateId: string) =>
    messageOf(runId, { kind: 'update', name: 'add', updateId, stored: 1 }, 'user:ada')
  await messages.obey({ id: 1, message: update('u-1') })
  await messages.obey({ id: 2, message: update('u-2') })
  expect(updates).toEqual(['u-2'])
})
