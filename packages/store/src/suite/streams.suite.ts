import { setTimeout as delay } from 'node:timers/promises'
import type { Json } from '@kyros/contract/json'
import { expect, test } from 'vitest'
import { EngineFenced } from '../command.ts'
import type { Store } from '../store.ts'
import { expectProblem, newId, startMs, submit } from './rig.ts'

const limits = { maxBytes: 1000, maxStreams: 3 }

export function testStreams(store: () => Store): void {
  const write = (runId: string, stream: string, chunks: Json[], change: { maxBytes?: number } = {}) =>
    store().write({
      ...{ kind: 'append_stream', runId, stream, chunks, step: 'Say', attempt: 1, timeMs: startMs },
      ...limits,
      ...change,
    })
  const read = async (runId: string, stream: string, after: number, limit = 100) =>
    (await store().streams.read(runId, stream, { after, limit })).map(({ offset, data }) => [offset, data])

  test('chunks of a stream are numbered without a gap and read from anywhere', async () => {
    const { run } = await submit(store())
    const written = await Promise.all([
      write(run.id, 'tokens', ['a', 'b', { c: 1 }]),
      write(run.id, 'other', ['x']),
      write(run.id, 'tokens', ['d', 'e']),
    ])
    expect(written).toEqual([{ lastOffset: 3 }, { lastOffset: 1 }, { lastOffset: 5 }])
    expect(await read(run.id, 'tokens', 0)).toEqual([
      ...[
        [1, 'a'],
        [2, 'b'],
        [3, { c: 1 }],
        [4, 'd'],
        [5, 'e'],
      ],
    ])
    expect(await read(run.id, 'tokens', 1)).toEqual([
      [2, 'b'],
      [3, { c: 1 }],
      [4, 'd'],
      [5, 'e'],
    ])
    expect(await read(run.id, 'tokens', 3)).toEqual([
      [4, 'd'],
      [5, 'e'],
    ])
    expect(await read(run.id, 'tokens', 5)).toEqual([])
    expect(await read(run.id, 'tokens', 0, 1)).toEqual([
      [1, 'a'],
      [2, 'b'],
      [3, { c: 1 }],
    ])
    expect(await store().streams.read(run.id, 'other', { after: 0, limit: 9 })).toEqual([
      { offset: 1, timeMs: startMs, step: 'Say', attempt: 1, data: 'x' },
    ])
    expect(await store().streams.list(run.id)).toMatchObject([
      { name: 'other', chunks: 1 },
      { name: 'tokens', chunks: 5 },
    ])
    await expectProblem(write(newId(), 'tokens', ['a']), 'run_not_found')
  })

  test('chunks whose answer was lost are there once, also where others came in between', async () => {
    const { run } = await submit(store())
    const say = (chunks: Json[], more: { againAfter?: number; timeMs?: number } = {}) =>
      store().write({
        ...{ kind: 'append_stream', runId: run.id, stream: 'tokens', chunks, step: 'Say', attempt: 1 },
        ...{ timeMs: startMs, ...limits, ...more },
      })
    expect(await say(['a'], { againAfter: 0 })).toEqual({ lastOffset: 1 })
    expect(await say(['a'], { againAfter: 0 })).toEqual({ lastOffset: 1 })
    await write(run.id, 'tokens', ['other'])
    expect(await say(['a'], { againAfter: 0 })).toEqual({ lastOffset: 1 })
    // The same again behind it is another write, which was not there.
    expect(await say(['a'], { againAfter: 1 })).toEqual({ lastOffset: 3 })
    const all = await Promise.all([say(['b'], { againAfter: 3 }), say(['b'], { againAfter: 3 })])
    expect(all).toEqual([{ lastOffset: 4 }, { lastOffset: 4 }])
    expect((await read(run.id, 'tokens', 0)).map(([, data]) => data)).toEqual(['a', 'other', 'a', 'b'])
    expect(await store().streams.list(run.id)).toMatchObject([{ chunks: 4 }])
  })

  test('who does not hold the engine any more writes no chunks and no artifacts', async () => {
    const { run } = await submit(store())
    const lease = { kind: 'acquire_engine_lease', timeMs: startMs, ttlMs: 1000 } as const
    await store().write({ ...lease, holder: 'one' })
    await store().write({ kind: 'release_engine_lease', holder: 'one' })
    const held = await store().write({ ...lease, holder: 'two' })
    const epoch = 'epoch' in held ? held.epoch : 0
    const say = (under: number) =>
      store().write({
        ...{ kind: 'append_stream', runId: run.id, stream: 'a', chunks: [1], step: 'Say', attempt: 1 },
        ...{ timeMs: startMs, ...limits, epoch: under },
      })
    const { sha256, bytes } = await store().blobs.put(Buffer.from('a report'))
    const file = { runId: run.id, name: 'report', mediaType: 'text/plain', sha256, bytes, createdMs: startMs }
    const put = (under: number) => store().write({ kind: 'put_artifact', ...file, epoch: under })
    await expect(say(epoch - 1)).rejects.toBeInstanceOf(EngineFenced)
    await expect(put(epoch - 1)).rejects.toBeInstanceOf(EngineFenced)
    expect(await store().streams.list(run.id)).toEqual([])
    expect(await store().artifacts.list(run.id)).toEqual([])
    expect(await say(epoch)).toEqual({ lastOffset: 1 })
    await put(epoch)
    expect(await store().artifacts.list(run.id)).toHaveLength(1)
  })

  test('a run has so many streams and bytes of them and no more, and what was written stays', async () => {
    const { run } = await submit(store())
    await write(run.id, 'a', ['x'.repeat(500)])
    await expectProblem(write(run.id, 'b', ['x'.repeat(500)]), 'stream_full')
    await write(run.id, 'b', ['x'])
    await write(run.id, 'c', ['x'])
    await expectProblem(write(run.id, 'd', ['x']), 'stream_full')
    await write(run.id, 'c', ['y'])
    expect(await read(run.id, 'c', 0)).toEqual([
      [1, 'x'],
      [2, 'y'],
    ])
  })

  test('streams go with their run, and who waits for chunks is woken', async () => {
    const { run, job } = await submit(store())
    const stop = new AbortController()
    const woken = (async () => {
      for await (const _ of store().streams.changes(run.id, stop.signal)) return performance.now()
      return 0
    })()
    await delay(20)
    const writtenMs = performance.now()
    await write(run.id, 'tokens', ['a'])
    expect((await woken) - writtenMs).toBeLessThan(900)
    stop.abort()
    await store().write({ kind: 'delete_job', jobId: job.id, actor: 'user:ada', timeMs: startMs })
    expect(await store().streams.list(run.id)).toEqual([])
    expect(await read(run.id, 'tokens', 0)).toEqual([])
  })
}
