import { problem } from '@kyros/contract/problem'
import { openStore } from '@kyros/store/open-store'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EngineRig, ended, gate, plain, submit } from '../suite/rig.ts'
import { createEmbeddedRig, testClock } from './embedded-rig.ts'
import { followStream, StreamWriter } from './streams.ts'

let rig: EngineRig
let runId: string
const go = gate()

beforeEach(async () => {
  const steps = { ...plain, First: async () => go.opened.then(() => 1) }
  rig = await createEmbeddedRig({ store: await openStore({ dataDir: ':memory:' }), steps })
  runId = await submit(rig, 'sequence')
})
afterEach(() => rig.stop())

const writerOf = (write: EngineRig['store']['write'] = rig.store.write) =>
  new StreamWriter({ store: { write }, clock: testClock, runId, step: 'First', attempt: 1 })

test('what is written while a write is under way goes into the next one, in order', async () => {
  const sizes: number[] = []
  const write: EngineRig['store']['write'] = (command) => {
    if ('chunks' in command) sizes.push(command.chunks.length)
    return rig.store.write(command)
  }
  const writer = writerOf(write)
  for (let index = 1; index <= 1200; index++) void writer.write('tokens', index)
  await writer.flushed()
  expect(sizes).toEqual([1, 500, 500, 199])
  const stop = new AbortController()
  const seen: unknown[] = []
  for await (const chunks of followStream(rig.store, runId, 'tokens', 10, stop.signal)) {
    seen.push(...chunks.map(({ data }) => data))
    if (seen.length >= 1190) stop.abort()
  }
  expect(seen).toEqual(Array.from({ length: 1190 }, (_, index) => index + 11))
})

test('a reader gets what comes later, resumes without a gap, and ends with the run', async () => {
  const writer = writerOf()
  const read = async (after: number, count: number) => {
    const stop = new AbortController()
    const seen: number[] = []
    for await (const chunks of followStream(rig.store, runId, 'tokens', after, stop.signal)) {
      seen.push(...chunks.map(({ offset }) => offset))
      if (seen.length >= count) stop.abort()
    }
    return seen
  }
  const early = read(0, 3)
  for (const chunk of ['a', 'b', 'c']) await writer.write('tokens', chunk)
  expect(await early).toEqual([1, 2, 3])
  const rest = read(2, Number.POSITIVE_INFINITY)
  await writer.write('tokens', 'd')
  await writer.flushed()
  go.open()
  await ended(rig, runId)
  expect(await rest).toEqual([3, 4])
  const nobody = followStream(rig.store, rig.newId(), 'tokens', 0, new AbortController().signal)
  await expect(nobody.next()).rejects.toMatchObject({ code: 'run_not_found' })
})

test('a stream that is full fails this write and every later one', async () => {
  const writer = writerOf(() => Promise.reject(problem('stream_full', { detail: 'full' })))
  await writer.write('tokens', 'a')
  await writer.flushed()
  await expect(writer.write('tokens', 'b')).rejects.toMatchObject({ code: 'stream_full' })
  await expect(writerOf().write('', 'a')).rejects.toThrow(RangeError)
  await expect(writerOf().write('tokens', 'x'.repeat(2_000_000))).rejects.toMatchObject({
    code: 'stream_full',
  })
})

test('chunks whose answer was lost are in the stream once', async () => {
  const lost = new Set([0, 2])
  let count = 0
  const write: EngineRig['store']['write'] = async (command) => {
    const answer = await rig.store.write(command)
    if (lost.has(count++)) throw problem('store_unavailable', { detail: 'The commit was not answered.' })
    return answer
  }
  const writer = writerOf(write)
  for (const chunk of ['a', 'a', 'b']) {
    await writer.write('tokens', chunk)
    await writer.flushed()
  }
  const chunks = await rig.store.streams.read(runId, 'tokens', { after: 0, limit: 10 })
  expect(chunks.map(({ data }) => data)).toEqual(['a', 'a', 'b'])
  expect(count).toBe(5)
})

test('an attempt of an engine that is deposed writes nothing more beside the log', async () => {
  const writer = new StreamWriter({
    ...{ store: rig.store, clock: testClock, runId, step: 'First', attempt: 1, epoch: 7 },
  })
  await writer.write('tokens', 'late')
  await writer.flushed()
  await expect(writer.write('tokens', 'later')).rejects.toThrow('lease')
  expect(await rig.store.streams.list(runId)).toEqual([])
})
