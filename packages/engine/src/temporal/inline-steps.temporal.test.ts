import type { Json } from '@kyros/contract/json'
import { openStore } from '@kyros/store/open-store'
import { Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { StepFunction } from '../embedded/attempt.ts'
import { inlineWorkflows as workflows } from '../fixtures/catalogue.ts'
import { type EngineRig, ended, gate, plain, submit, until } from '../suite/rig.ts'
import { createTemporalRig } from './temporal-rig.ts'

const address = inject('testTemporalAddress')
let client: Client
let rig: EngineRig
let first: StepFunction

beforeAll(async () => {
  client = new Client({ connection: await Connection.connect({ address }) })
  const First: StepFunction = (input, context) => first(input, context)
  const store = await openStore({ dataDir: ':memory:' })
  rig = await createTemporalRig({ store, address, client, workflows, steps: { ...plain, First } })
})

afterAll(async () => {
  await rig.stop()
  await client.connection.close()
})

/** How many steps of the run were ordinary activities, how many local ones, and in how many of its tasks. */
async function countsOf(workflow: string, input: Json, doFirst = plain.First) {
  if (doFirst !== undefined) first = doFirst
  const runId = await submit(rig, workflow, input)
  await ended(rig, runId)
  const { events = [] } = await client.workflow.getHandle(runId).fetchHistory()
  const count = (is: (event: NonNullable<typeof events>[number]) => unknown) =>
    (events ?? []).filter((event) => is(event)).length
  return {
    ordinary: count((event) => event.activityTaskScheduledEventAttributes),
    local: count((event) => event.markerRecordedEventAttributes?.markerName === 'core_local_activity'),
    tasks: count((event) => event.workflowTaskCompletedEventAttributes),
  }
}

test('inline steps one after the other are local activities of one task', async () => {
  expect(await countsOf('inline_sequence', 'in')).toEqual({ ordinary: 0, local: 3, tasks: 1 })
})

test('of inline steps that are asked for at once one is a local activity', async () => {
  expect(await countsOf('inline_beside', 'in')).toMatchObject({ ordinary: 2, local: 2 })
})

test('what would keep a task open for too long is an ordinary activity', async () => {
  expect(await countsOf('inline_long', { rounds: 12 })).toEqual({ ordinary: 2, local: 10, tasks: 3 })
})

test('an attempt that follows at once is an ordinary activity, one that comes later a local one', async () => {
  const failing: StepFunction = async (input, { attempt }) => {
    if (attempt < 3) throw new Error('not yet')
    return input
  }
  expect(await countsOf('inline_retrying', { initialMs: 0 }, failing)).toMatchObject({
    ordinary: 2,
    local: 1,
  })
  expect(await countsOf('inline_retrying', { initialMs: 5 }, failing)).toMatchObject({
    ordinary: 0,
    local: 3,
  })
})

test('a run whose inline step is under way says that its worker has its turn', async () => {
  const [began, go] = [gate(), gate()]
  first = async (input) => {
    began.open()
    await go.opened
    return input
  }
  const runId = await submit(rig, 'inline_sequence', 'in')
  await began.opened
  const why = await until(
    () => rig.engine.why(runId),
    ({ status }) => status === 'running',
  )
  expect(why.waits_for).toMatchObject([
    { detail: expect.stringMatching(/^a worker has had its turn for \d s/) },
  ])
  expect(why.what_would_move_it).toMatch(/An inline step is done within it/)
  go.open()
  await ended(rig, runId)
})
