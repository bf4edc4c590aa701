import type { Client } from '@kyros/client/client'
import { expect, test } from 'vitest'
import { createLiveStream, type LiveMessage } from './live-stream.ts'

type Opened = { id: string; after: number | undefined; signal: AbortSignal; status: (kind: string) => void }
type Sent = { kind: 'item'; number: number; item: { seq: number } } | { kind: 'reset' }

/** A client whose streams stay open and deliver what the test puts into them. */
function fakeClient() {
  const opened: Opened[] = []
  let deliver: (message: Sent) => void = () => undefined
  async function* stream(id: string, args: Record<string, unknown>) {
    const { after, signal, onStatus } = args as {
      after?: number
      signal: AbortSignal
      onStatus: (s: object) => void
    }
    opened.push({ id, after, signal, status: (kind) => onStatus({ kind, failures: 2, retryInMs: 1 }) })
    const queue: Sent[] = []
    let wake: () => void = () => undefined
    deliver = (message) => {
      queue.push(message)
      wake()
    }
    signal.addEventListener('abort', () => wake())
    while (!signal.aborted) {
      const next = queue.shift()
      if (next !== undefined) yield next
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  }
  // The live stream uses nothing else of a client.
  const client = { stream } as unknown as Client
  return { client, opened, deliver: (message: Sent) => deliver(message) }
}

const item = (number: number): Sent => ({ kind: 'item', number, item: { seq: number } })
const settled = () => new Promise((resolve) => setTimeout(resolve, 5))

test('it begins where it is told and delivers what comes', async () => {
  const { client, opened, deliver } = fakeClient()
  const live = createLiveStream(client)
  const seen: LiveMessage['kind'][] = []
  live.listen(({ kind }) => seen.push(kind))
  live.start(7)
  live.start(9)
  deliver(item(8))
  deliver({ kind: 'reset' })
  await settled()
  expect(opened.map(({ id, after }) => [id, after])).toEqual([['streamEvents', 7]])
  expect(seen).toEqual(['event', 'reset'])
})

test('one connection serves a run while its page is open, and everything afterwards, from where it was left', async () => {
  const { client, opened, deliver } = fakeClient()
  const live = createLiveStream(client)
  live.start(7)
  deliver(item(10))
  await settled()
  const widen = live.narrow({ kind: 'run', runId: 'r', after: 9 })
  deliver(item(30))
  await settled()
  widen()
  expect(opened.map(({ id, after }) => [id, after])).toEqual([
    ['streamEvents', 7],
    ['listRunEvents', 9],
    ['streamEvents', 10],
  ])
  expect(opened.map(({ signal }) => signal.aborted)).toEqual([true, true, false])
})

test('a hidden page gives its connection back and goes on where it was', async () => {
  const { client, opened, deliver } = fakeClient()
  const live = createLiveStream(client)
  live.start(1)
  deliver(item(5))
  await settled()
  live.pause()
  expect([live.state().kind, opened[0]?.signal.aborted]).toEqual(['paused', true])
  live.resume()
  expect(opened[1]?.after).toBe(5)
})

test('an outage is dated from its beginning, and what an old connection says no longer counts', () => {
  const { client, opened } = fakeClient()
  const live = createLiveStream(client)
  live.start(1)
  opened[0]?.status('offline')
  const first = live.state()
  opened[0]?.status('offline')
  expect(first.kind).toBe('offline')
  expect(live.state()).toBe(first)
  live.narrow({ kind: 'run', runId: 'r', after: 1 })
  opened[1]?.status('connecting')
  expect(live.state()).toBe(first)
  opened[1]?.status('connected')
  opened[0]?.status('offline')
  expect(live.state().kind).toBe('connected')
})
