import type { Json } from '@kyros/contract/json'
import { openStore } from '@kyros/store/open-store'
import { createDatabase, dropDatabase } from '@kyros/store/suite/postgres-database'
import { Client, Connection } from '@temporalio/client'
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, onTestFinished, test } from 'vitest'
import type { StepFunction } from '../embedded/attempt.ts'
import { messageOf, type Operation } from '../embedded/operations/operate.ts'
import { askingWorkflow } from '../fixtures/catalogue.ts'
import { ended, gate, owner, plain, record, submit, until, waiting } from '../suite/rig.ts'
import { conform } from './conform.ts'
import { readConformHistory } from './read-conform-history.ts'
import { createTemporalRig, type TemporalRig } from './temporal-rig.ts'

const address = inject('testTemporalAddress')
const workflows = ['gathering', 'looping', 'relaying'].map((name) => askingWorkflow(name))
let client: Client
let rig: TemporalRig
let handsOver: boolean
let done: string[]
let before: () => Promise<void>

beforeAll(async () => {
  client = new Client({ connection: await Connection.connect({ address }) })
})
afterAll(() => client.connection.close())

beforeEach(async () => {
  handsOver = false
  done = []
  before = async () => {}
  const store = await openStore({ dataDir: ':memory:' })
  const First: StepFunction = async (input, { idempotencyKey }) => {
    await before()
    done.push(idempotencyKey)
    return input
  }
  const steps = { ...plain, First }
  rig = await createTemporalRig({
    ...{ store, address, client, workflows, steps, handsOver: () => handsOver },
  })
})
afterEach(() => rig.stop())

/** As before the switch: the run begins on the embedded engine. */
const begin = (workflow: string, input: Json) => submit({ ...rig, engine: rig.embedded }, workflow, input)

const moved = (runId: string) =>
  until(
    () => record(rig, runId),
    ({ engine }) => engine === 'temporal',
  )

test('runs under load move where they continue as new: each part is done once, and each signal taken once and in order', {
  timeout: 60_000,
}, async () => {
  const parts = 14
  const runs = 12
  const ids: string[] = []
  const sent = 20
  for (let index = 0; index < runs; index++) {
    ids.push(await begin('gathering', { parts, heard: [], want: sent }))
  }
  const load = Promise.all(
    ids.map(async (runId) => {
      for (let number = 0; number < sent; number++) {
        await rig.engine.signal(runId, 'add', number, owner, `${runId}-${number}`)
        if (number === sent / 2) handsOver = true
      }
    }),
  )
  await load
  await Promise.all(ids.map(moved))
  // What ends the parts takes a second each there: the rest of the parts is not what this is about.
  for (const runId of ids) {
    const { continued = 0 } = await record(rig, runId)
    expect(continued).toBeLessThan(parts)
    expect(continued).toBeGreaterThan(0)
  }
  await rig.restart()
  for (const runId of ids) {
    const heard = Array.from({ length: sent }, (_, number) => number)
    expect((await ended(rig, runId)).result).toEqual({ part: parts - 1, heard })
    const keys = done.filter((key) => key.startsWith(runId))
    expect(new Set(keys).size).toBe(keys.length)
    expect(keys).toHaveLength(parts)
    const seqs = (await rig.store.events.ofRun(runId)).map(({ run_seq: seq }) => seq)
    expect(seqs).toEqual(seqs.map((_, index) => index + 1))
  }
  const results = await conform({ histories: [await readConformHistory(rig.store, ids[0] ?? '')] })
  expect(results.every(({ ok }) => ok)).toBe(true)
  expect(results.length).toBe(1)
})

test('a loop goes on with its state, paused as it was, and answers; switched back, what has not moved stays', {
  timeout: 60_000,
}, async () => {
  const [began, go] = [gate(), gate()]
  const rounds = 13
  // As many of these as a part may have.
  const large: StepFunction = async (input, { idempotencyKey }) => {
    done.push(idempotencyKey)
    if (done.length === rounds - 1) {
      began.arrive()
      await go.opened
    }
    return `${input}`.padEnd(900_000, 'x')
  }
  await rig.restart({ steps: { ...plain, First: large } })
  const runId = await begin('looping', { rounds })
  await began.came
  handsOver = true
  await rig.engine.pause(runId, owner)
  go.open()
  await moved(runId)
  expect(await waiting(rig, runId, 'paused')).toMatchObject({ reason_detail: 'Paused by user:suite.' })
  expect(done).toHaveLength(rounds - 1)
  handsOver = false
  await rig.restart()
  const stays = await begin('relaying', { parts: 2 })
  expect((await ended(rig, stays)).engine).toBeUndefined()
  await rig.engine.resume(runId, owner)
  expect((await ended(rig, runId)).result).toEqual({ round: rounds, parts: [0, 1] })
  expect(new Set(done).size).toBe(done.length)
})

test('a moved run is forked, cancelled and explained where it is', { timeout: 60_000 }, async () => {
  handsOver = true
  const runId = await begin('gathering', { parts: 2, heard: [], want: 1 })
  await moved(runId)
  await waiting(rig, runId, 'signal')
  expect((await rig.engine.why(runId)).waits_for[0]).toMatchObject({ kind: 'signal', name: 'add' })
  expect(await rig.engine.query(runId, 'heard', null)).toBe(0)
  const forked = rig.newId()
  const of = { fromStep: 'First~1', runId: forked, jobId: rig.newId(), principal: owner, timeMs: Date.now() }
  await rig.engine.fork(runId, of)
  await rig.engine.cancel(runId, 'enough', owner)
  expect(await ended(rig, runId)).toMatchObject({ status: 'cancelled', reason_detail: 'enough' })
  await rig.engine.signal(forked, 'add', 'for the fork', owner)
  expect((await ended(rig, forked)).result).toEqual({ part: 1, heard: ['for the fork'] })
})

test('orders that were on their way to the embedded engine are done where the run is, or do not stand in the way', {
  timeout: 60_000,
}, async () => {
  handsOver = true
  const runId = await begin('gathering', { parts: 2, heard: [], want: 2 })
  await moved(runId)
  const put = (operation: Operation) =>
    rig.store.write({
      ...{ kind: 'put_inbox', message: messageOf(runId, operation, owner.id), timeMs: Date.now() },
    })
  await put({ kind: 'upgrade', definition: 'another' })
  await put({ kind: 'update', name: 'unknown', updateId: 'update-0', stored: null })
  await put({ kind: 'update', name: 'add', updateId: 'update-1', stored: 'by an update' })
  await rig.engine.signal(runId, 'add', 'by a signal', owner)
  const run = await ended(rig, runId)
  expect(run).toMatchObject({ engine: 'temporal', result: { heard: ['by an update', 'by a signal'] } })
})

test('what another process sends while runs move comes to them in order, and once', {
  timeout: 90_000,
}, async () => {
  const databaseUrl = await createDatabase()
  onTestFinished(() => dropDatabase(databaseUrl))
  const join = async () => {
    const store = await openStore({ dataDir: '', databaseUrl })
    const joined = await createTemporalRig({
      ...{ store, address, client, workflows, steps: plain, handsOver: () => handsOver },
    })
    onTestFinished(() => joined.stop())
    return joined
  }
  const holder = await join()
  await until(
    async () => holder.embedded.health().details.holds_lease,
    (holds) => holds === true,
  )
  const other = await join()
  const [parts, sent] = [10, 30]
  const input = { parts, heard: [], want: sent }
  const ids: string[] = []
  for (let run = 0; run < 6; run++)
    ids.push(await submit({ ...holder, engine: holder.embedded }, 'gathering', input))
  const send = async (runId: string) => {
    for (let number = 0; number < sent; number++) {
      await other.engine.signal(runId, 'add', number, owner)
      if (number === 5) handsOver = true
    }
  }
  await Promise.all(ids.map(send))
  for (const runId of ids) {
    const run = await ended(other, runId)
    expect(run.engine).toBe('temporal')
    const heard = Array.from({ length: sent }, (_, number) => number)
    expect(run.result).toEqual({ part: parts - 1, heard })
  }
})
