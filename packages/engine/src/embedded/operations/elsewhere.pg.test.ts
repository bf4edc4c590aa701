import { openStore } from '@kyros/store/open-store'
import { createDatabase, dropDatabase } from '@kyros/store/suite/postgres-database'
import type { CatalogueEntry } from '@kyros/workflows/catalogue'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { askingWorkflow, testWorkflow } from '../../fixtures/catalogue.ts'
import { operationsWorkflow } from '../../fixtures/operations-catalogue.ts'
import {
  type EngineRig,
  ended,
  eventTypes,
  gate,
  owner,
  plain,
  type SuiteSteps,
  submit,
  until,
  waiting,
} from '../../suite/rig.ts'
import type { StepFunction } from '../attempt.ts'
import { createEmbeddedRig } from '../embedded-rig.ts'

// What a process can do that serves the API and does not run the engine.

const rigs: EngineRig[] = []
let databaseUrl: string

beforeEach(async () => {
  databaseUrl = await createDatabase()
})
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.stop().catch(() => {})
  await dropDatabase(databaseUrl)
})

const common = [
  testWorkflow('sequence'),
  ...['updating', 'questioning'].map((name) => askingWorkflow(name)),
  operationsWorkflow('budgeted'),
]

async function join(steps: SuiteSteps, workflows: readonly CatalogueEntry[] = common): Promise<EngineRig> {
  const store = await openStore({ dataDir: '', databaseUrl })
  const rig = await createEmbeddedRig({ store, steps: { ...plain, ...steps }, workflows })
  rigs.push(rig)
  return rig
}

const holds = (rig: EngineRig) => rig.engine.health().details.holds_lease === true

async function pair(steps: SuiteSteps = {}) {
  const holder = await join(steps)
  await until(async () => holds(holder), Boolean)
  const other = await join(steps)
  return { holder, other }
}

test('a run is paused, resumed and given a budget from a process that does not run the engine', async () => {
  const [began, go] = [gate(), gate()]
  const First: StepFunction = async (input) => {
    began.open()
    await go.opened
    return input
  }
  const { other } = await pair({ First })
  const runId = await submit(other, 'budgeted', 7)
  await began.opened
  await expect(other.engine.resume(runId, owner)).rejects.toMatchObject({ code: 'run_not_paused' })
  await other.engine.pause(runId, owner)
  await other.engine.reportUsage(runId, { tokens: 60 })
  await other.engine.reportUsage(runId, { tokens: 60 })
  await until(
    () => other.store.runs.get(runId),
    (run) => run?.paused === true && run.budget?.used_tokens === 120,
  )
  go.open()
  await waiting(other, runId, 'paused')
  expect((await other.engine.why(runId)).waits_for).toMatchObject([{ kind: 'paused', name: 'user:suite' }])
  await other.engine.resume(runId, owner)
  await waiting(other, runId, 'budget_exceeded')
  expect((await other.engine.why(runId)).waits_for).toMatchObject([
    { kind: 'budget_exceeded', name: 'tokens' },
  ])
  await other.engine.setBudget(runId, { tokens: 500 }, owner)
  expect((await ended(other, runId)).result).toEqual([7, 7])
  const types = await eventTypes(other, runId)
  expect(types.filter((type) => type === 'budget.used')).toHaveLength(2)
  await expect(other.engine.pause(runId, owner)).rejects.toMatchObject({ code: 'run_ended' })
  const forked = other.newId()
  const ids = { runId: forked, jobId: other.newId() }
  await other.engine.fork(runId, { fromStep: 'Second', ...ids, principal: owner, timeMs: Date.now() })
  expect(await ended(other, forked)).toMatchObject({ result: [7, 7], forked_from: { run_id: runId } })
})

test('queries, updates and answers reach a run from a process that does not run the engine', async () => {
  const tokens: string[] = []
  const First: StepFunction = async (input) => {
    if (String(input).includes('.')) tokens.push(String(input))
    return input
  }
  const { other } = await pair({ First })
  const runId = await submit(other, 'updating', { limit: 1 })
  await waiting(other, runId, 'signal')
  expect(await other.engine.query(runId, 'limit', null)).toBe(1)
  await expect(other.engine.query(runId, 'colour', null)).rejects.toMatchObject({ code: 'query_unknown' })
  const update = (payload: number | string, updateId: string) =>
    other.engine.update(runId, 'setLimit', payload, { updateId, principal: owner })
  expect(await update(5, 'a')).toEqual({ before: 1, limit: 5 })
  expect(await update(5, 'a')).toEqual({ before: 1, limit: 5 })
  await expect(update('many', 'b')).rejects.toMatchObject({ code: 'update_rejected' })
  await expect(update(500, 'c')).rejects.toMatchObject({ code: 'update_failed' })
  expect(await other.engine.query(runId, 'limit', null)).toBe(500)
  await other.engine.signal(runId, 'finish', null, owner)
  expect((await ended(other, runId)).result).toBe(500)
  const asking = await submit(other, 'questioning', {})
  await waiting(other, asking, 'waitpoint')
  const token = tokens[0] ?? ''
  expect(await other.engine.describeWaitpoint(token)).toMatchObject({ name: 'approve', isOpen: true })
  await other.engine.completeWaitpoint(token, { ok: true })
  expect((await ended(other, asking)).result).toEqual({ ok: true })
  await other.engine.completeWaitpoint(token, { ok: true })
  await expect(other.engine.completeWaitpoint(token, { ok: false })).rejects.toMatchObject({
    code: 'waitpoint_closed',
  })
})

test('runs that another process accepts take turns, and are refused by the log', async () => {
  const doors = [gate(), gate()]
  let came = 0
  const First: StepFunction = async (input) => {
    const door = doors[came++]
    door?.arrive()
    await door?.opened
    return input
  }
  const workflows = [operationsWorkflow('limited'), operationsWorkflow('refusing_more')]
  const holder = await join({ First }, workflows)
  await until(async () => holds(holder), Boolean)
  const other = await join({ First }, workflows)
  const first = await submit(other, 'limited', { place: 'eu' })
  await doors[0]?.came
  const second = await submit(other, 'limited', { place: 'eu' })
  await waiting(other, second, 'concurrency')
  const kept = await submit(holder, 'refusing_more')
  await doors[1]?.came
  expect(await ended(other, await submit(other, 'refusing_more'))).toMatchObject({
    ...{ status: 'failed', reason: 'rejected', started_at: null },
    error: { code: 'run_concurrency_reached' },
  })
  for (const door of doors) door.open()
  for (const runId of [first, second, kept]) expect((await ended(other, runId)).status).toBe('completed')
})

test('a blocked run is freed from a process that knows its correction and does not run the engine', async () => {
  const holder = await join({}, [operationsWorkflow('mending', 'broken')])
  await until(async () => holds(holder), Boolean)
  const runId = await submit(holder, 'mending', 5)
  await waiting(holder, runId, 'blocked')
  const newer = await join({}, [operationsWorkflow('mending', 'mended')])
  const { from } = await newer.engine.upgrade(runId, { principal: owner })
  expect((await ended(newer, runId)).result).toEqual(['mended', 5, 5])
  expect((await newer.engine.definitions()).map(({ hash }) => hash)).toContain(from)
})
