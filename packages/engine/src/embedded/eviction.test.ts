import { openStore } from '@kyros/store/open-store'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { askingWorkflows } from '../fixtures/catalogue.ts'
import { type EngineRig, ended, gate, owner, plain, submit, until, waiting } from '../suite/rig.ts'
import type { StepFunction } from './attempt.ts'
import { createEmbeddedRig } from './embedded-rig.ts'

let rig: EngineRig

beforeEach(async () => {
  const store = await openStore({ dataDir: ':memory:' })
  rig = await createEmbeddedRig({ store, steps: plain, change: { evictAfterMs: 10 } })
})

afterEach(() => rig.stop())

const asleep = () => Number(rig.engine.health().details.asleep_runs)

const evicted = (count = 1) =>
  until(
    async () => asleep(),
    (runs) => runs >= count,
  )

test('a run that sleeps leaves memory, and goes on at its time', async () => {
  const runId = await submit(rig, 'sleeping', { ms: 300 })
  await evicted()
  expect(rig.engine.health().details).toMatchObject({ active_runs: 1, waiting_runs: 1, timers: 1 })
  expect((await ended(rig, runId)).status).toBe('completed')
  expect(asleep()).toBe(0)
})

test('a signal reaches a run that left memory, and one after the other is counted', async () => {
  const runId = await submit(rig, 'collecting', { count: 3 })
  for (const item of ['a', 'b', 'c']) {
    await evicted()
    await rig.engine.signal(runId, 'add', item, owner)
  }
  expect((await ended(rig, runId)).result).toEqual({ met: true, items: ['a', 'b', 'c'] })
})

test('a run that left memory is cancelled, and says why it waits', async () => {
  const runId = await submit(rig, 'sleeping', { ms: 60_000 })
  await evicted()
  expect((await rig.engine.why(runId)).waits_for).toMatchObject([{ kind: 'timer' }])
  await rig.engine.cancel(runId, 'enough', owner)
  expect((await ended(rig, runId)).status).toBe('cancelled')
})

test('a run that left memory ends when its time is over', async () => {
  const runId = await submit(rig, 'collecting', { count: 1 }, { timeoutSeconds: 1 })
  await evicted()
  expect((await ended(rig, runId)).status).toBe('timed_out')
})

test('after a start, runs that only wait are not read, and still wake', async () => {
  const sleeping = await submit(rig, 'sleeping', { ms: 700 })
  const collecting = await submit(rig, 'collecting', { count: 1 })
  await waiting(rig, sleeping, 'timer')
  await waiting(rig, collecting, 'signal')
  const { histories } = rig.store.runs
  let read = 0
  rig.store.runs.histories = (runIds) => {
    read += runIds.length
    return histories(runIds)
  }
  await rig.restart()
  await evicted(2)
  expect(read).toBe(0)
  await rig.engine.signal(collecting, 'add', 1, owner)
  expect((await ended(rig, collecting)).result).toEqual({ met: true, items: [1] })
  expect((await ended(rig, sleeping)).status).toBe('completed')
})

test('a run whose time has come while the store is out is woken when it is back', async () => {
  const runId = await submit(rig, 'sleeping', { ms: 200 })
  await evicted()
  const { many } = rig.store.runs
  let failures = 0
  rig.store.runs.many = async (ids) => {
    failures += 1
    if (failures <= 2) throw new Error('cut off')
    return many(ids)
  }
  await until(
    async () => failures,
    (count) => count > 2,
  )
  expect((await ended(rig, runId)).status).toBe('completed')
})

test('a run that left memory with a step in line that it does not want any more takes no slot from others', async () => {
  const held = gate()
  const First: StepFunction = async (input) => {
    if (input === 'hold') await held.opened
    return input
  }
  await rig.restart({ steps: { ...plain, First }, workflows: askingWorkflows, maxAttempts: 1 })
  const holding = await submit(rig, 'sequence', 'hold')
  await until(
    async () => rig.engine.health().details.running_attempts,
    (count) => count === 1,
  )
  const impatient = await submit(rig, 'impatient')
  await waiting(rig, impatient, 'timer')
  await evicted()
  held.open()
  expect((await ended(rig, holding)).status).toBe('completed')
  expect((await ended(rig, await submit(rig, 'sequence', 'next'))).status).toBe('completed')
  await rig.engine.cancel(impatient, 'the test is over', owner)
})
