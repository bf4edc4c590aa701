import { problem } from '@kyros/contract/problem'
import { fillsInbox } from '@kyros/store/command'
import { openStore } from '@kyros/store/open-store'
import type { Store } from '@kyros/store/store'
import { afterEach, expect, test } from 'vitest'
import { askingWorkflow, askingWorkflows } from '../fixtures/catalogue.ts'
import { type EngineRig, ended, eventTypes, gate, owner, plain, record, submit, until } from '../suite/rig.ts'
import type { StepFunction } from './attempt.ts'
import { createEmbeddedRig, type RigOptions } from './embedded-rig.ts'

const rigs: EngineRig[] = []

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.stop()
})

async function open(options: Partial<RigOptions> = {}) {
  const store = options.store ?? (await openStore({ dataDir: ':memory:' }))
  const handsOver = { handsOver: () => true, ...options.change }
  const rig = await createEmbeddedRig({
    ...{ steps: plain, workflows: askingWorkflows, ...options, store },
    change: handsOver,
  })
  rigs.push(rig)
  return rig
}

const moved = (rig: EngineRig, runId: string) =>
  until(
    () => record(rig, runId),
    ({ engine }) => engine === 'temporal',
  )

const partOf = async ({ store }: EngineRig, runId: string) =>
  (await store.events.ofRun(runId)).findLast(({ type }) => type === 'run.continued')

test('a run that continues as new goes to the other engine with what outlives its part, and nothing of it is left', async () => {
  const [began, go] = [gate(), gate()]
  const First: StepFunction = async (input) => {
    began.arrive()
    await go.opened
    return input
  }
  const rig = await open({ steps: { ...plain, First } })
  const runId = await submit(rig, 'continuing', { parts: 3, sum: 0 })
  await began.came
  await rig.engine.signal(runId, 'other', 'kept', owner, 'signal-1')
  go.open()
  const run = await moved(rig, runId)
  expect(run).toMatchObject({ engine: 'temporal', status: 'running', continued: 1, steps_total: 0 })
  const types = await eventTypes(rig, runId)
  expect(types.at(-1)).toBe('run.continued')
  expect(types.filter((type) => type === 'step.started')).toHaveLength(1)
  const part = await partOf(rig, runId)
  expect(part?.data).toMatchObject({
    ...{ engine: 'temporal', part: 1, input: { parts: 3, sum: 1 } },
    ...{ carried: [{ signal: 'other', payload: 'kept' }], before: { signal_ids: ['signal-1'] } },
  })
  await until(
    async () => rig.engine.health().details.active_runs,
    (count) => count === 0,
  )
  expect((await rig.store.inbox.list(0, 9, 'temporal')).map(({ message }) => message)).toEqual([
    { type: 'accept', runId },
  ])
  await rig.restart()
  expect(rig.engine.health().details.active_runs).toBe(0)
  expect((await record(rig, runId)).run_seq).toBe(run.run_seq)
})

test('a loop goes over when its history has grown large, with its state', async () => {
  const First: StepFunction = async (input) => `${input}`.padEnd(900_000, 'x')
  const rig = await open({ steps: { ...plain, First } })
  const runId = await submit(rig, 'looping', { rounds: 30 })
  await moved(rig, runId)
  expect((await partOf(rig, runId))?.data).toMatchObject({
    ...{ input: { rounds: 30 }, loop: { state: { round: 13, parts: [0] } } },
  })
})

test('while the other engine cannot be used a run stays, and goes over at its next boundary', async () => {
  const parts: number[] = []
  const First: StepFunction = async (input) => {
    parts.push(Number(input))
    return input
  }
  const change = { handsOver: () => parts.length >= 3 }
  const rig = await open({ steps: { ...plain, First }, change })
  const runId = await submit(rig, 'continuing', { parts: 9, sum: 0 })
  expect(await moved(rig, runId)).toMatchObject({ continued: 3 })
  expect(parts).toEqual([1, 2, 3])
})

test('a run that goes over leaves its place to the next of its workflow', async () => {
  const rig = await open({ workflows: [askingWorkflow('relaying')] })
  const first = await submit(rig, 'relaying', { parts: 2 })
  const second = await submit(rig, 'relaying', { parts: 1 })
  await moved(rig, first)
  expect(await ended(rig, second)).toMatchObject({ status: 'completed' })
})

test('a child stays, because its parent hears of its end here', async () => {
  const rig = await open()
  const runId = await submit(rig, 'parent', { workflow: 'continuing', input: { parts: 3, sum: 0 } })
  expect((await ended(rig, runId)).result).toMatchObject({ result: { sum: 6, part: 2 }, after: 'after' })
  const { items } = await rig.store.runs.list({})
  expect(items.map(({ engine }) => engine)).toEqual([undefined, undefined])
})

const leaving = (exportName?: string) => [
  askingWorkflow('leaving_part', exportName),
  askingWorkflow('napping'),
]

test('a run stays while it has to tell a child that it is not wanted, and not for one that is left alone', async () => {
  const rig = await open({ workflows: leaving() })
  const stays = await submit(rig, 'leaving_part', { close: 'request_cancel' })
  expect((await ended(rig, stays)).engine).toBeUndefined()
  const goes = await submit(rig, 'leaving_part', { close: 'abandon' })
  await moved(rig, goes)
  const left = await until(
    async () => (await rig.store.runs.list({ type: 'napping' })).items,
    (items) => items.length === 2,
  )
  expect(left.map(({ engine }) => engine)).toEqual([undefined, undefined])
})

test('a part that is to have the newest definition has it on the other engine, too', async () => {
  const [began, go] = [gate(), gate()]
  const First: StepFunction = async (input) => {
    began.arrive()
    await go.opened
    return input
  }
  const rig = await open({ workflows: leaving(), steps: { ...plain, First } })
  const runId = await submit(rig, 'leaving_part', { close: 'abandon' })
  await began.came
  const { definition } = await record(rig, runId)
  await rig.restart({ workflows: leaving('newerLeavingPart') })
  go.open()
  const run = await moved(rig, runId)
  const newest = rig.engine.workflows().find(({ name }) => name === 'leaving_part')
  expect(run).toMatchObject({ definition: newest?.definition, version: newest?.version })
  expect(run.definition).not.toBe(definition)
})

/** A store to which this happens before each of the next writes that hand a run over. */
function failing(store: Store, failures: (() => Promise<void>)[]): Store {
  const write: Store['write'] = async (command) => {
    if (command.kind === 'append_many' && fillsInbox(command)) await failures.shift()?.()
    return store.write(command)
  }
  return { ...store, write }
}

test('a hand-over that an outage keeps from the disk is written when that is over, and once', async () => {
  const inner = await openStore({ dataDir: ':memory:' })
  const down = async () => {
    throw problem('store_unavailable', { detail: 'down' })
  }
  const rig = await open({ store: failing(inner, [down, down]) })
  const runId = await submit(rig, 'continuing', { parts: 3, sum: 0 })
  await moved(rig, runId)
  const types = await eventTypes(rig, runId)
  expect(types.filter((type) => type === 'run.continued')).toHaveLength(1)
})

test('a process that dies before the hand-over is on disk has the run still, and does no step of it again', async () => {
  const inner = await openStore({ dataDir: ':memory:' })
  const [writing, never] = [gate(), new Promise<void>(() => {})]
  const steps: string[] = []
  const First: StepFunction = async (input, { idempotencyKey }) => {
    steps.push(idempotencyKey)
    return input
  }
  const dies = async () => {
    writing.arrive()
    await never
  }
  const store = failing(inner, [dies])
  const rig = await open({ store, steps: { ...plain, First } })
  const runId = await submit(rig, 'continuing', { parts: 3, sum: 0 })
  await writing.came
  await rig.restart()
  await moved(rig, runId)
  expect(steps).toEqual([`${runId}/First`])
})

test('what is asked of a run while it goes over is kept for the other engine, in order', async () => {
  const inner = await openStore({ dataDir: ':memory:' })
  const writing = gate()
  const rig = await open({
    store: failing(inner, [
      async () => {
        writing.arrive()
        await writing.opened
      },
    ]),
  })
  const runId = await submit(rig, 'continuing', { parts: 3, sum: 0 })
  await writing.came
  // The first two wait for the run, which is between the engines; their order among each other is given by their senders.
  await rig.engine.signal(runId, 'add', 1, owner)
  await rig.engine.pause(runId, owner)
  writing.open()
  await moved(rig, runId)
  await rig.engine.signal(runId, 'add', 2, owner)
  await rig.engine.cancel(runId, 'enough', owner)
  const kept = await until(
    () => rig.store.inbox.list(0, 9, 'temporal'),
    (messages) => messages.length === 5,
  )
  const accept = kept.find(({ message }) => message.type === 'accept')
  expect(accept?.message).toMatchObject({ since: kept[0]?.id })
  const asked = kept.filter((message) => message !== accept)
  expect(asked.map(({ message }) => message.type)).toEqual(['signal', 'operate', 'signal', 'cancel'])
  expect(await rig.store.inbox.list(0, 9)).toEqual([])
  expect(await eventTypes(rig, runId)).not.toContain('signal.received')
})
