import { expect, test } from 'vitest'
import type { StepFunction } from '../embedded/attempt.ts'
import { ended, gate, type OpenRig, plain, submit } from './rig.ts'

export function testStreams(open: OpenRig): void {
  test('what a step writes to a stream is read while it runs and after, resumed by offset', async () => {
    const [began, go] = [gate(), gate()]
    const First: StepFunction = async (input, { stream }) => {
      for (const token of ['once', 'upon', 'a']) await stream.write('tokens', token)
      began.open()
      await go.opened
      await stream.write('tokens', { last: true })
      return input
    }
    const rig = await open({ steps: { ...plain, First } })
    const runId = await submit(rig, 'sequence', 1)
    await began.opened
    const read = async (afterOffset: number, count: number) => {
      const stop = new AbortController()
      const seen: unknown[] = []
      for await (const chunks of rig.engine.stream(runId, 'tokens', { afterOffset }, stop.signal)) {
        seen.push(...chunks.map(({ data }) => data))
        if (seen.length >= count) stop.abort()
      }
      return seen
    }
    expect(await read(0, 3)).toEqual(['once', 'upon', 'a'])
    go.open()
    await ended(rig, runId)
    expect(await read(2, 100)).toEqual(['a', { last: true }])
    const [chunk] = await rig.store.streams.read(runId, 'tokens', { after: 0, limit: 1 })
    expect(chunk).toMatchObject({ offset: 1, step: 'First', attempt: 1 })
  })

  test('a step that fails is tried again and writes again, which its attempt shows', async () => {
    const First: StepFunction = async (input, { stream, attempt }) => {
      await stream.write('tokens', `try ${attempt}`)
      if (attempt === 1) throw new Error('not yet')
      return input
    }
    const rig = await open({ steps: { ...plain, First } })
    const runId = await submit(rig, 'sequence', 1)
    await ended(rig, runId)
    const chunks = await rig.store.streams.read(runId, 'tokens', { after: 0, limit: 9 })
    expect(chunks.map(({ attempt, data }) => [attempt, data])).toEqual([
      [1, 'try 1'],
      [2, 'try 2'],
    ])
  })
}
