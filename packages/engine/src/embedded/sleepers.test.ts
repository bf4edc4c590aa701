import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { SleeperTable } from './sleeper-table.ts'
import { Sleepers } from './sleepers.ts'
import { createTimers, type EngineClock } from './timers.ts'

/** A clock that stands still until it is moved, and wakes who sleeps. */
function manualClock() {
  let nowMs = 0
  const sleeping = new Set<{ dueMs: number; wake: () => void }>()
  const clock: EngineClock = {
    nowMs: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const one = { dueMs: nowMs + ms, wake: resolve }
        sleeping.add(one)
        signal?.addEventListener('abort', () => sleeping.delete(one) && reject(signal.reason))
      }),
  }
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve))
  const moveTo = async (ms: number) => {
    nowMs = ms
    for (let due = [...sleeping].filter((one) => one.dueMs <= nowMs); due.length > 0; ) {
      for (const one of due) sleeping.delete(one) && one.wake()
      await settle()
      due = [...sleeping].filter((one) => one.dueMs <= nowMs)
    }
  }
  return { clock, moveTo }
}

// Few of the places of a hash, so that they collide.
const id = (run: number) => `00000000-0000-4000-8000-${(run * 64).toString(16).padStart(12, '0')}`

const stops: (() => void)[] = []
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

function open() {
  const { clock, moveTo } = manualClock()
  const timers = createTimers(clock)
  stops.push(() => timers.stop())
  const woken: string[] = []
  const batches: number[] = []
  const sleepers = new Sleepers(timers, (runIds) => {
    woken.push(...runIds)
    batches.push(runIds.length)
  })
  return { sleepers, woken, batches, moveTo }
}

test('each run is woken once, at its last time, and not before it', async () => {
  const times = fc.array(fc.tuple(fc.nat(20), fc.nat(100)), { maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(times, async (asked) => {
      const { sleepers, woken, moveTo } = open()
      const due = new Map<string, number>()
      for (const [run, ms] of asked) {
        sleepers.add(id(run), ms + 1)
        due.set(id(run), ms + 1)
      }
      for (const nowMs of [10, 50, 101]) {
        await moveTo(nowMs)
        const expected = [...due].filter(([, ms]) => ms <= nowMs).map(([run]) => run)
        expect(woken.toSorted()).toEqual(expected.toSorted())
      }
    }),
    { numRuns: 40 },
  )
})

test('what is known of runs is what was last said of them, however many come and go', () => {
  const asked = fc.array(fc.tuple(fc.nat(3000), fc.constantFrom('add', 'for ever', 'delete')), {
    minLength: 2000,
    maxLength: 6000,
  })
  fc.assert(
    fc.property(asked, (said) => {
      const table = new SleeperTable()
      const model = new Map<string, number>()
      for (const [run, what] of said) {
        if (what === 'delete') table.delete(id(run))
        else table.set(id(run), what === 'add' ? (run * 7919) % 1009 : Infinity)
        if (what === 'delete') model.delete(id(run))
        else model.set(id(run), what === 'add' ? (run * 7919) % 1009 : Infinity)
      }
      expect(table.size).toBe(model.size)
      for (let run = 0; run <= 3000; run++)
        if (table.has(id(run)) !== model.has(id(run))) throw new Error(id(run))
      const due = [...model].filter(([, ms]) => ms <= 500)
      const taken: string[] = []
      for (let next = table.takeDue(500); next !== undefined; next = table.takeDue(500)) taken.push(next)
      const times = taken.map((runId) => model.get(runId))
      expect(times).toEqual(due.map(([, ms]) => ms).toSorted((a, b) => a - b))
      expect(new Set(taken)).toEqual(new Set(due.map(([runId]) => runId)))
      for (const runId of model.keys()) table.delete(runId)
      expect([table.size, table.firstMs]).toEqual([0, undefined])
    }),
    { numRuns: 10 },
  )
})

test('a run that nobody needs to wake stays known and costs no timer', async () => {
  const { sleepers, woken, moveTo } = open()
  sleepers.add(id(1), Infinity)
  sleepers.add(id(2), 5)
  await moveTo(1000)
  expect(woken).toEqual([id(2)])
  expect([sleepers.has(id(1)), sleepers.has(id(2)), sleepers.size]).toEqual([true, true, 2])
  sleepers.delete(id(2))
  expect(sleepers.size).toBe(1)
})

test('very many that are due together are woken in bites, and those that are deleted not at all', async () => {
  const { sleepers, woken, batches, moveTo } = open()
  for (let run = 0; run < 1800; run++) sleepers.add(id(run), 10)
  for (let run = 0; run < 1500; run++) sleepers.delete(id(run))
  for (let run = 2000; run < 3000; run++) sleepers.add(id(run), 10)
  await moveTo(10)
  expect(woken).toHaveLength(1300)
  expect(Math.max(...batches)).toBeLessThanOrEqual(500)
})

test('after it was cleared nobody is woken', async () => {
  const { sleepers, woken, moveTo } = open()
  sleepers.add(id(3), 5)
  sleepers.clear()
  await moveTo(10)
  expect([woken, sleepers.size]).toEqual([[], 0])
})
