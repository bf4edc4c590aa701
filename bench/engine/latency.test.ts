import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { measureLatency } from './latency.ts'

test('what a step adds is the tenth part of what ten more steps add', async () => {
  const asked: number[] = []
  const run = (steps: number) => {
    asked.push(steps)
    return delay(10 + steps * 2)
  }
  const { latencyMs, stepMs } = await measureLatency(run, { pairs: 3 })
  expect(asked).toEqual([3, 13, 3, 13, 3, 13])
  expect(latencyMs).toBeGreaterThanOrEqual(15)
  expect(stepMs).toBeGreaterThan(0)
})
