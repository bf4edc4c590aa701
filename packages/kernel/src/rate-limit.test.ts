import { expect, test } from 'vitest'
import { fakeClock } from './fake-clock.ts'
import { createRateLimiter } from './rate-limit.ts'

test('the whole allowance may be spent at once and comes back evenly', async () => {
  const clock = fakeClock()
  const limiter = createRateLimiter({ calls: 3, windowMs: 3000 }, clock)
  expect([1, 2, 3].map(() => limiter.take('a').remaining)).toEqual([2, 1, 0])
  expect(limiter.take('a')).toEqual({ allowed: false, remaining: 0, resetSeconds: 3, retryAfterSeconds: 1 })
  await clock.advance(1000)
  expect(limiter.take('a')).toMatchObject({ allowed: true, remaining: 0 })
  await clock.advance(60_000)
  expect(limiter.take('a').remaining).toBe(2)
})

test('a refused call costs nothing, and a call can be given back', () => {
  const limiter = createRateLimiter({ calls: 1, windowMs: 1000 }, fakeClock())
  limiter.take('a')
  const refused = limiter.take('a')
  expect(limiter.take('a')).toEqual(refused)
  limiter.refund('a')
  expect(limiter.take('a').allowed).toBe(true)
})

test('a flood of new keys forgets the quietest and keeps the bound', () => {
  const limiter = createRateLimiter({ calls: 1, windowMs: 1000 }, fakeClock(), 2)
  limiter.take('a')
  limiter.take('b')
  limiter.take('c')
  expect(limiter.take('c').allowed).toBe(false)
  expect(limiter.take('a').allowed).toBe(true)
})
