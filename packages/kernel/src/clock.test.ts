import { expect, test } from 'vitest'
import { systemClock } from './clock.ts'
import { fakeClock } from './fake-clock.ts'
import { createNewId } from './new-id.ts'

test('a sleep ends early with the reason of its signal', async () => {
  const reason = new Error('stop')
  for (const clock of [systemClock, fakeClock()]) {
    const abort = new AbortController()
    const sleep = clock.sleep(60_000, abort.signal)
    abort.abort(reason)
    await expect(sleep).rejects.toBe(reason)
  }
})

test('a fake clock wakes sleepers in the order of their time', async () => {
  const clock = fakeClock(0)
  const woken: number[] = []
  const sleeper = async (ms: number) => {
    await clock.sleep(ms)
    woken.push(clock.nowMs())
  }
  const both = Promise.all([sleeper(20), sleeper(10)])
  await clock.advance(15)
  expect(woken).toEqual([10])
  await clock.advance(5)
  await both
  expect(woken).toEqual([10, 20])
})

test('ids are unique and sort by time', async () => {
  const clock = fakeClock()
  const newId = createNewId(clock)
  const ids = new Set(Array.from({ length: 1000 }, newId))
  expect(ids.size).toBe(1000)
  await clock.advance(1)
  expect([...ids].every((id) => id < newId())).toBe(true)
})
