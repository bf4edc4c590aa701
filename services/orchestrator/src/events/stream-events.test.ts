import type { Event } from '@kyros/contract/event'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { listen, type Message, type OpenStream, openStream } from '../testing/read-stream.ts'
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts'

let platform: TestPlatform
let origin: string
const streams: OpenStream[] = []
beforeAll(async () => {
  platform = await startTestPlatform({
    app: { streams: { maxPerCaller: 4, heartbeatMs: 50 }, rateLimit: false },
  })
  origin = await listen(platform.app)
})
afterEach(async () => {
  for (const stream of streams.splice(0)) await stream.close()
})
afterAll(() => platform.stop())

async function open(path: string, headers?: Record<string, string>): Promise<OpenStream> {
  const stream = await openStream(`${origin}${path}`, headers)
  streams.push(stream)
  return stream
}

async function emit(type: string, n: number): Promise<number> {
  const { seq } = (
    await platform.send('POST', '/api/v1/events', { payload: { type, payload: { n } } })
  ).json()
  return seq
}

const eventOf = (message: Message | undefined): Event => JSON.parse(message?.data ?? 'null')
const numbers = (messages: Message[]) => messages.map((message) => eventOf(message).data.n)

test('a stream has the headers that keep proxies from holding it back', async () => {
  const { response } = await open('/api/v1/events/stream')
  expect(response.headers.get('content-type')).toContain('text/event-stream')
  expect(response.headers.get('cache-control')).toContain('no-cache')
  expect(response.headers.get('x-accel-buffering')).toBe('no')
  expect(response.headers.get('x-content-type-options')).toBe('nosniff')
})

test('a new reader gets what comes from now on, each event with its number as id', async () => {
  await emit('app.before', 0)
  const stream = await open('/api/v1/events/stream?type=app.live')
  const seq = await emit('app.live', 1)
  const [message] = await stream.take(1)
  expect(message).toMatchObject({ id: String(seq), event: undefined })
  expect(eventOf(message)).toMatchObject({ seq, type: 'app.live', data: { n: 1 } })
})

test('a reader that is cut off again and again sees every event once', async () => {
  const total = 60
  const first = await emit('app.resume', 0)
  const writing = (async () => {
    for (let n = 1; n < total; n++) await emit('app.resume', n)
  })()
  const seen: number[] = []
  let last = String(first - 1)
  while (seen.length < total) {
    const stream = await open('/api/v1/events/stream?type=app.resume&after=0', { 'last-event-id': last })
    const taken = await stream.take(Math.min(7, total - seen.length))
    seen.push(...numbers(taken).map(Number))
    last = taken.at(-1)?.id ?? last
    await stream.close()
  }
  await writing
  expect(seen).toEqual(Array.from({ length: total }, (_n, index) => index))
})

test('tail with once ends after the backlog; without, it goes on', async () => {
  const seq = await emit('app.tail', 1)
  const once = await (await open(`/api/v1/events/tail?once=1&after=${seq - 1}`)).rest()
  expect(once.map(({ id }) => id)).toEqual([String(seq)])
  const all = await (await open('/api/v1/events/tail?once=1')).rest()
  expect(all.map(({ id }) => Number(id))).toEqual(Array.from({ length: seq }, (_n, index) => index + 1))
  const going = await open(`/api/v1/events/tail?once=0&after=${seq - 1}`)
  await emit('app.tail', 2)
  expect(numbers(await going.take(2))).toEqual([1, 2])
})

test('facts about people and their credentials reach admins alone', async () => {
  const subject = 'users/someone'
  const event = { type: 'login.failed', subject, timeMs: Date.now(), data: {} }
  await platform.store.write({ kind: 'append_event', event })
  const typesFor = async (who: string) => {
    const headers = { authorization: `Bearer ${who}` }
    const page = await fetch(`${origin}/api/v1/events?subject=${subject}`, { headers })
    const { events: listed }: { events: Event[] } = JSON.parse(await page.text())
    const streamed = await (await open('/api/v1/events/tail?once=1', headers)).rest()
    return {
      listed: listed.map(({ type }) => type),
      streamed: streamed.map((message) => eventOf(message).type),
    }
  }
  const admin = await typesFor('admin')
  expect(admin.listed).toEqual(['login.failed'])
  expect(admin.streamed).toContain('login.failed')
  const viewer = await typesFor('viewer')
  expect(viewer.listed).toEqual([])
  expect(viewer.streamed).not.toContain('login.failed')
})

test('a number that the log has not reached gets a reset and goes on from the end', async () => {
  const stream = await open('/api/v1/events/stream?type=app.reset', { 'last-event-id': '999999999' })
  const [reset] = await stream.take(1)
  const head = await platform.store.events.head()
  expect(reset).toMatchObject({ event: 'reset', id: String(head), data: JSON.stringify({ from: head }) })
  await emit('app.reset', 1)
  expect(numbers(await stream.take(1))).toEqual([1])
})

test('the events of a job and of its run come as a stream from the first', async () => {
  const { id, run_id } = await platform.submit({ workflow: 'greet', input: { name: 'Ada' } })
  for (const path of [`/api/v1/jobs/${id}/events`, `/api/v1/workflows/${run_id}/events`]) {
    const stream = await open(path)
    const types: string[] = []
    while (types.at(-1) !== 'run.completed') types.push(eventOf((await stream.take(1))[0]).type)
    expect(types).toContain('run.created')
    expect(types).toContain('step.completed')
  }
})

test('the log of a run is followed by line and ends with the run', async () => {
  const { id, run_id } = await platform.submit({ workflow: 'greet', input: { name: 'Ada' } })
  const live = await (await open(`/api/v1/workflows/${run_id}/logs?follow=true`)).rest()
  expect(live.map(({ id: line, event }) => event ?? line)).toEqual(['1', '2', 'end'])
  expect(JSON.parse(live[0]?.data ?? '')).toMatchObject({
    line: 1,
    level: 'info',
    message: 'greeting Ada',
    step: 'Greet',
  })
  const resumed = await (await open(`/api/v1/workflows/${run_id}/logs`, { 'last-event-id': '1' })).rest()
  expect(resumed.map(({ id: line, event }) => event ?? line)).toEqual(['2', 'end'])
  await platform.awaitEnd(id)
  const page = (await platform.get(`/api/v1/workflows/${run_id}/logs?limit=1`)).json()
  expect(page.lines).toHaveLength(1)
  const next = (await platform.get(`/api/v1/workflows/${run_id}/logs?cursor=${page.next_cursor}`)).json()
  expect(next).toMatchObject({ lines: [{ line: 2, level: 'warn', message: 'done' }], next_cursor: null })
  const ofOther = (await platform.get(`/api/v1/workflows/${run_id}/logs?step=Other`)).json()
  expect(ofOther.lines).toEqual([])
  expect((await platform.get(`/api/v1/workflows/${run_id}/logs?cursor=x`)).json().code).toBe('cursor_invalid')
})

test('a caller may have so many streams open and no more; one that leaves makes room', async () => {
  const open4 = await Promise.all(Array.from({ length: 4 }, () => open('/api/v1/events/stream')))
  const refused = await open('/api/v1/events/stream')
  expect(refused.response.status).toBe(429)
  expect(await refused.response.json()).toMatchObject({ code: 'rate_limit_exceeded' })
  await open4[0]?.close()
  await expect.poll(async () => (await open('/api/v1/events/stream')).response.status).toBe(200)
})

test('a stream needs credentials, and HEAD ends at once', async () => {
  expect((await open('/api/v1/events/stream', { authorization: '' })).response.status).toBe(401)
  const head = await fetch(`${origin}/api/v1/events/stream`, {
    method: 'HEAD',
    headers: { authorization: 'Bearer operator' },
  })
  expect(head.status).toBe(200)
  expect(await head.text()).toBe('')
})
