import { expect, test } from 'vitest'
import { ReadPace } from './read-pace.ts'

test('a run alone is read at once, and many that move together once a second', () => {
  let nowMs = 1_000_000
  const pace = new ReadPace({ nowMs: () => nowMs })
  const pauses = () => Array.from({ length: 256 }, (_, index) => pace.pauseMs(`run ${index}`))
  expect(pace.pauseMs('alone')).toBe(25)
  expect(pauses().at(-1)).toBe(1000)
  nowMs += 2_000
  // The first of a new window knows of those before it.
  expect(pauses()[0]).toBe(1000)
})

test('runs that no longer move slow nobody down', () => {
  let nowMs = 1_000_000
  const pace = new ReadPace({ nowMs: () => nowMs })
  for (let index = 0; index < 256; index++) pace.pauseMs(`run ${index}`)
  nowMs += 10_000
  expect(pace.pauseMs('alone')).toBe(25)
})
