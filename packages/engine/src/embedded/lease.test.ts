import type { ResultOf } from '@kyros/store/command'
import { openStore } from '@kyros/store/open-store'
import type { Store } from '@kyros/store/store'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { until } from '../suite/rig.ts'
import { testClock } from './embedded-rig.ts'
import { createStoreLease, LeaseHolder } from './lease.ts'

let store: Store
const stop: AbortController[] = []

beforeEach(async () => {
  store = await openStore({ dataDir: ':memory:' })
})

afterEach(async () => {
  for (const one of stop.splice(0)) one.abort()
  await store.close()
})

function keep(holder: string | LeaseHolder, ttlMs = 90, from: Store = store, clock = testClock) {
  const told: string[] = []
  const lease = createStoreLease({
    store: from,
    clock,
    holder,
    ttlMs,
    onHeld: () => told.push('held'),
    onLost: () => told.push('lost'),
    onError: () => told.push('error'),
  })
  const stopping = new AbortController()
  stop.push(stopping)
  const kept = lease.keep(stopping.signal)
  const end = async () => {
    stopping.abort()
    await kept
  }
  return { lease, told, end }
}

test('one of two holds the lease, and the other gets it when it is given back', async () => {
  const one = keep('one')
  await until(async () => one.lease.isHeld, Boolean)
  const two = keep('two')
  const epoch = one.lease.epoch ?? 0
  await new Promise((resolve) => setTimeout(resolve, 250))
  expect([one.lease.isHeld, two.lease.isHeld]).toEqual([true, false])
  await one.end()
  await one.lease.release()
  await until(async () => two.lease.isHeld, Boolean)
  expect(two.lease.epoch).toBeGreaterThan(epoch)
  expect(one.told).toEqual(['held'])
})

test('two engines of one process hold it together, and the last of them gives it back', async () => {
  const holder = new LeaseHolder('one process')
  const [one, two, other] = [keep(holder), keep(holder), keep('another process', 60_000)]
  await until(async () => one.lease.isHeld && two.lease.isHeld, Boolean)
  expect(one.lease.epoch).toBe(two.lease.epoch)
  await one.end()
  await one.lease.release()
  await one.lease.release()
  await new Promise((resolve) => setTimeout(resolve, 150))
  expect([two.lease.isHeld, other.lease.isHeld]).toEqual([true, false])
  await two.end()
  await two.lease.release()
  await until(async () => other.lease.isHeld, Boolean)
  expect(two.told).toEqual(['held'])
})

test('a holder that cannot renew in time gives up by itself', async () => {
  let down = false
  const failing: Store = {
    ...store,
    write: async (command) => {
      if (down) throw new Error('down')
      return store.write(command)
    },
  }
  const one = keep('one', 90, failing)
  await until(async () => one.lease.isHeld, Boolean)
  down = true
  await until(async () => one.told.includes('lost'), Boolean)
  expect(one.lease.epoch).toBeUndefined()
  down = false
  await until(async () => one.lease.isHeld, Boolean)
})

test('a holder learns from a refused renewal that another holds it', async () => {
  const one = keep('one')
  await until(async () => one.lease.isHeld, Boolean)
  const taken: ResultOf<'acquire_engine_lease'> = await store.write({
    kind: 'acquire_engine_lease',
    holder: 'two',
    timeMs: Date.now() + 1000,
    ttlMs: 200,
  })
  expect(taken.held).toBe(true)
  await until(async () => one.told.includes('lost'), Boolean)
})

test('a holder that stood still for longer than its lease is not sure of it until it has asked', async () => {
  let nowMs = Date.now()
  const wakes: (() => void)[] = []
  const clock = { nowMs: () => nowMs, sleep: () => new Promise<void>((resolve) => wakes.push(resolve)) }
  const { lease, told } = keep('one', 90, store, clock)
  await until(async () => wakes.length, Boolean)
  expect([lease.isHeld, lease.isSure]).toEqual([true, true])
  nowMs += 100
  expect([lease.isHeld, lease.isSure]).toEqual([true, false])
  wakes.shift()?.()
  await until(async () => lease.isSure, Boolean)
  stop.at(-1)?.abort()
  await until(async () => wakes.length, Boolean)
  wakes.shift()?.()
  expect(told).toEqual(['held'])
})

test.each([
  ['its clock was set back meanwhile', { clockMs: -60_000, elapsedMs: 100 }],
  ['the machine was suspended meanwhile', { clockMs: 100, elapsedMs: 0 }],
])('a holder that stood still is not sure of its lease although %s', async (_, passed) => {
  const now = { clockMs: Date.now(), elapsedMs: 0 }
  const clock = {
    nowMs: () => now.clockMs,
    elapsedMs: () => now.elapsedMs,
    sleep: () => new Promise<void>(() => {}),
  }
  const { lease } = keep('one', 90, store, clock)
  await until(async () => lease.isSure, Boolean)
  now.clockMs += passed.clockMs
  now.elapsedMs += passed.elapsedMs
  expect(lease.isSure).toBe(false)
})
