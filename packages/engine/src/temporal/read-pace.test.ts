import { expect, test } from 'vitest'
import { ReadPace } from './read-pace.ts'

function open() {
  const slept: { ms: number; end: () => void }[] = []
  const sleep = (ms: number) => new Promise<void>((end) => slept.push({ ms, end }))
  const { signal } = new AbortController()
  const pace = new ReadPace({ sleep })
  const gather = async (runs: number) => {
    const gathering = Array.from({ length: runs }, () => pace.gather(signal))
    slept.at(-1)?.end()
    await Promise.all(gathering)
  }
  return { slept, gather }
}

test('a run alone is read at once, and many that move together every two seconds at the same moment', async () => {
  const { slept, gather } = open()
  await gather(1)
  await gather(256)
  await gather(50)
  await gather(1)
  expect(slept.map(({ ms }) => ms)).toEqual([25, 25, 2000, 800])
})

test('runs that no longer move slow nobody down', async () => {
  const { slept, gather } = open()
  await gather(256)
  await gather(1)
  await gather(1)
  expect(slept.map(({ ms }) => ms)).toEqual([25, 2000, 25])
})
