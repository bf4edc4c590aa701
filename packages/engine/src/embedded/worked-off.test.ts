import { expect, test } from 'vitest'
import { workedOff } from './worked-off.ts'

/** Steps that wait, of which so many begin in each millisecond of a clock that nobody waits for. */
function working(waiting: number, perMs: number) {
  const slots = { waiting, granted: 0 }
  let nowMs = 0
  const sleep = async (ms: number) => {
    nowMs += ms
    slots.waiting -= ms * perMs
    slots.granted += ms * perMs
  }
  return { slots, clock: { nowMs: () => nowMs, sleep } }
}

const { signal } = new AbortController()

test('steps that begin one right after the other are waited for until few are left', async () => {
  const parts = working(20_000, 10)
  await workedOff(parts, signal)
  expect(parts.slots.waiting).toBeLessThanOrEqual(1000)
  expect(parts.slots.waiting).toBeGreaterThan(0)
})

test('steps that take their time keep no other run from being taken up', async () => {
  const parts = working(20_000, 1)
  await workedOff(parts, signal)
  expect(parts.clock.nowMs()).toBeLessThan(50)
})

test('where few steps wait nothing is waited for', async () => {
  const parts = working(1000, 10)
  await workedOff(parts, signal)
  expect(parts.clock.nowMs()).toBe(0)
})
