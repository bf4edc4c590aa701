import { afterEach, expect, test } from 'vitest'
import { createTimers, type EngineClock, type Timers } from './timers.ts'

/** A clock that a test sets; sleeping ends when it is told to look again. */
function manualClock() {
  let nowMs = 1_000_000
  const sleepers = new Set<{ dueMs: number; wake: () => void }>()
  const clock: EngineClock = {
    nowMs: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { dueMs: nowMs + ms, wake: resolve }
        sleepers.add(sleeper)
        signal?.addEventListener('abort', () => {
          sleepers.delete(sleeper)
          reject(signal.reason)
        })
      }),
  }
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve))
  const advance = async (ms: number) => {
    const endMs = nowMs + ms
    for (;;) {
      const next = [...sleepers].filter((one) => one.dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0]
      if (next === undefined) break
      sleepers.delete(next)
      nowMs = Math.max(nowMs, next.dueMs)
      next.wake()
      await settle()
    }
    nowMs = endMs
    await settle()
  }
  const jump = (ms: number) => {
    nowMs += ms
  }
  return { clock, advance, jump, sleepers }
}

let timers: Timers | undefined
afterEach(() => timers?.stop())

test('timers fire in the order of their time, then of their making', async () => {
  const { clock, advance } = manualClock()
  timers = createTimers(clock)
  const fired: number[] = []
  for (const [index, afterMs] of [50, 10, 30, 10, 40, 20].entries()) {
    timers.at(clock.nowMs() + afterMs, () => fired.push(index))
  }
  await advance(35)
  expect(fired).toEqual([1, 3, 5, 2])
  await advance(35)
  expect(fired).toEqual([1, 3, 5, 2, 4, 0])
  expect(timers.size).toBe(0)
})

test('a cancelled timer does not fire, and only one wait is under way', async () => {
  const { clock, advance, sleepers } = manualClock()
  timers = createTimers(clock)
  let fired = 0
  const kept = Array.from({ length: 3000 }, (_, index) =>
    timers?.at(clock.nowMs() + 5000 + index, () => fired++),
  )
  for (const timer of kept.slice(1)) timer?.cancel()
  kept[1]?.cancel()
  expect(timers.size).toBe(1)
  expect(sleepers.size).toBe(1)
  await advance(10_000)
  expect(fired).toBe(1)
})

test('a clock that jumps ahead is noticed within half a minute', async () => {
  const { clock, advance, jump } = manualClock()
  timers = createTimers(clock)
  let fired = false
  timers.at(clock.nowMs() + 3_600_000, () => {
    fired = true
  })
  await advance(1)
  jump(3_600_000)
  await advance(30_000)
  expect(fired).toBe(true)
})

test('a stopped set of timers fires nothing', async () => {
  const { clock, advance } = manualClock()
  timers = createTimers(clock)
  let fired = false
  timers.at(clock.nowMs() + 10, () => {
    fired = true
  })
  timers.stop()
  await advance(100)
  expect(fired).toBe(false)
})
