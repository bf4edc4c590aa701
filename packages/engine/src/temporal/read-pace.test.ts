import { expect, test } from 'vitest'
import { ReadPace } from './read-pace.ts'

function open() {
  const slept: { ms: number; end: () => void }[] = []
  const sleep = (ms: number) => new Promise<void>((end) => slept.push({ ms, end }))
  const signal = new AbortController().signal
  const pace = new ReadPace({ sleep })
  return { slept, gather: () => pace.gather(signal) }
}

test('a run alone is read at once, and many that move together every two seconds', () => {
  const { slept, gather } = open()
  for (let run = 0; run < 256; run++) void gather()
  expect([slept[0]?.ms, slept[99]?.ms, slept[255]?.ms]).toEqual([25, 800, 2000])
})

test('runs that no longer move slow nobody down', async () => {
  const { slept, gather } = open()
  const gathering = Array.from({ length: 256 }, gather)
  for (const { end } of slept) end()
  await Promise.all(gathering)
  void gather()
  expect(slept.at(-1)?.ms).toBe(25)
})
