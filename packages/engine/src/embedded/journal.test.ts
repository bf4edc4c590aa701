import { problem } from '@kyros/contract/problem'
import { EngineFenced, RunConflict } from '@kyros/store/command'
import { openStore } from '@kyros/store/open-store'
import type { Store } from '@kyros/store/store'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type EngineRig, plain, submit } from '../suite/rig.ts'
import { createEmbeddedRig, testClock } from './embedded-rig.ts'
import { Journal } from './journal.ts'
import { JournalWriter } from './journal-writer.ts'

let store: Store
let rig: EngineRig
let runId: string

beforeEach(async () => {
  store = await openStore({ dataDir: ':memory:' })
  rig = await createEmbeddedRig({ store, steps: plain })
  runId = await submit(rig, null)
})

afterEach(() => rig.stop())

/** A journal on a store whose writes fail as long as `failures` has errors, some after they were applied. */
function open(failures: unknown[] = [], runSeq = 2, applied: ReadonlySet<unknown> = new Set()) {
  const writes: number[] = []
  const lost: unknown[] = []
  const write: Store['write'] = async (command) => {
    const failure = failures.shift()
    if (applied.has(failure)) await store.write(command)
    if (failure !== undefined) throw failure
    if ('appends' in command) for (const { events } of command.appends) writes.push(events.length)
    return store.write(command)
  }
  const writer = new JournalWriter({
    store: { write, events: store.events },
    clock: testClock,
    epoch: () => undefined,
    log: () => {},
  })
  const owner = { facts: { runId }, onLost: (error: unknown) => lost.push(error) }
  const journal = new Journal({ writer, clock: testClock }, owner, runSeq)
  const push = (whenDurable?: () => void, whenLost?: (error: unknown) => void) =>
    journal.push({ type: 'run.resumed', timeMs: journal.stampMs(), data: {} }, whenDurable, whenLost)
  return { journal, writer, push, writes, lost }
}

test('what is pushed during a write is the next write', async () => {
  const { journal, writer, push, writes } = open()
  push()
  writer.flush()
  push()
  push()
  writer.flush()
  await journal.settled()
  expect(writes).toEqual([1, 2])
})

test('a very wide turn is written in parts, in order', async () => {
  const { journal, push, writes } = open()
  const durable: number[] = []
  for (let index = 0; index < 1200; index++) push(() => durable.push(index))
  await journal.settled()
  expect(writes).toEqual([500, 500, 200])
  expect(durable).toEqual(Array.from({ length: 1200 }, (_, index) => index))
})

test('an outage of the store is waited out and nothing is lost', async () => {
  const down = problem('store_unavailable', { detail: 'down' })
  const full = problem('storage_full', { detail: 'full' })
  const { journal, push, writes, lost } = open([down, full])
  let durable = false
  push(() => {
    durable = true
  })
  await journal.settled()
  expect({ writes, lost, durable }).toEqual({ writes: [1], lost: [], durable: true })
})

test('a log that somebody else wrote to is a lost run', async () => {
  const { journal, push, lost } = open([], 1)
  let wasLost = false
  push(undefined, () => {
    wasLost = true
  })
  await journal.settled()
  expect(lost).toEqual([expect.any(RunConflict)])
  expect(wasLost).toBe(true)
  let later = false
  push(undefined, () => {
    later = true
  })
  expect(later).toBe(true)
})

test('times never go back', () => {
  const { journal } = open()
  journal.startFrom(Date.now() + 60_000)
  const first = journal.stampMs()
  expect(first).toBeGreaterThan(Date.now() + 50_000)
  expect(journal.stampMs()).toBeGreaterThanOrEqual(first)
})

test('what an outage hid is looked for in the log, and not written again', async () => {
  const outage = problem('store_unavailable', { detail: 'The answer did not come.' })
  const { journal, writer, push, lost } = open([outage], 2, new Set([outage]))
  const durable: string[] = []
  push(() => durable.push('hidden'))
  writer.flush()
  push(() => durable.push('next'))
  await journal.settled()
  expect(durable).toEqual(['hidden', 'next'])
  expect(lost).toEqual([])
  const events = await store.events.ofRun(runId)
  expect(events.filter(({ type }) => type === 'run.resumed')).toHaveLength(2)
})

test('a write that somebody else was faster than is lost, also after an outage', async () => {
  const outage = problem('store_unavailable', { detail: 'The answer did not come.' })
  const { journal, push, lost } = open([outage])
  push()
  const settled = journal.settled()
  const other = { type: 'run.resumed' as const, timeMs: 1, data: {} }
  await store.write({ kind: 'append_run_events', runId, events: [other] })
  await settled
  expect(lost).toHaveLength(1)
})

test('who finds something done already is told when that is on disk', async () => {
  const { journal, writer, push } = open()
  const told: string[] = []
  const tell = (what: string) =>
    journal.whenWritten(
      () => told.push(what),
      () => told.push(`not ${what}`),
    )
  tell('of nothing')
  push(() => told.push('the event'))
  tell('of the event')
  expect(told).toEqual(['of nothing'])
  writer.flush()
  await journal.settled()
  expect(told).toEqual(['of nothing', 'the event', 'of the event'])
  push()
  tell('of the lost one')
  journal.drop(new Error('The run is closed.'))
  tell('of anything')
  expect(told.slice(3)).toEqual(['not of the lost one', 'not of anything'])
})

test('what a process wrote before it lost the lease is told, and not gone on with', async () => {
  const outage = problem('store_unavailable', { detail: 'The answer did not come.' })
  const fenced = new EngineFenced('Another process runs the engine.')
  const { journal, push, lost } = open([outage, fenced], 2, new Set([outage]))
  const order: string[] = []
  push(
    () => order.push(`durable after ${lost.length} losses`),
    () => order.push('lost'),
  )
  await journal.settled()
  await vi.waitFor(() => expect(order).toEqual(['durable after 1 losses']))
})

test('who waits for an event that may be on disk is not told that it is lost', async () => {
  const down = problem('store_unavailable', { detail: 'down' })
  const told: unknown[] = []
  const { journal, writer, push } = open([down, down])
  push(undefined, (error) => told.push(error))
  writer.flush()
  await new Promise((resolve) => setTimeout(resolve, 10))
  journal.drop(new Error('Another process runs the engine now.'))
  const later = open([down])
  later.push(undefined, (error) => told.push(error))
  later.writer.flush()
  later.journal.drop(new Error('Another process runs the engine now.'))
  await later.journal.settled()
  const isUnknown = expect.objectContaining({ code: 'store_unavailable' })
  expect(told).toEqual([isUnknown, isUnknown])
})
