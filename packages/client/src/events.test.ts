import type { ServerResponse } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { createClient } from './client.ts'
import type { StreamStatus } from './events.ts'
import { sendJson, startTestServer, type TestServer } from './test-server.ts'

let server: TestServer | undefined

afterEach(() => server?.close())

const id = '0190a000-0000-7000-8000-000000000001'
const backoff = { minMs: 1, maxMs: 5 }

function open(response: ServerResponse, ...numbers: number[]) {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const number of numbers)
    response.write(`id: ${number}\nevent: step.started\ndata: {"seq":${number}}\n\n`)
}

type Options = { until: number; after?: number; staleMs?: number; onStatus?: (status: StreamStatus) => void }

async function follow(baseUrl: string, { until, ...options }: Options) {
  const controller = new AbortController()
  const numbers: (number | 'reset')[] = []
  const client = createClient({ baseUrl })
  const stream = client.stream('listRunEvents', {
    params: { id },
    signal: controller.signal,
    backoff,
    ...options,
  })
  for await (const message of stream) {
    numbers.push(message.kind === 'reset' ? 'reset' : message.number)
    if (message.kind === 'item' && message.number >= until) controller.abort()
  }
  return numbers
}

test('a broken stream resumes behind the last number, without loss or repetition', async () => {
  server = await startTestServer((_, response, number) => {
    if (number === 1) open(response, 1, 2)
    if (number === 1) setTimeout(() => response.destroy(), 20)
    if (number === 2) response.destroy()
    if (number === 3) open(response, 2, 3, 4)
  })
  const statuses: string[] = []
  const numbers = await follow(server.baseUrl, {
    until: 4,
    after: 0,
    onStatus: ({ kind }) => statuses.push(kind),
  })
  expect(numbers).toEqual([1, 2, 3, 4])
  expect(server.seen.map((request) => request.headers['last-event-id'])).toEqual(['0', '2', '2'])
  expect(statuses).toEqual(['connecting', 'connected', 'offline', 'offline', 'catching_up'])
})

test('a stream on which nothing arrives any more is given up and opened again', async () => {
  server = await startTestServer((_, response, number) => open(response, number))
  expect(await follow(server.baseUrl, { until: 2, staleMs: 60 })).toEqual([1, 2])
})

test('heartbeats keep a stream without events open', async () => {
  server = await startTestServer((_, response) => {
    open(response)
    const timer = setInterval(() => response.write(': alive\n\n'), 20)
    setTimeout(() => response.write('id: 1\ndata: {}\n\n'), 200)
    response.on('close', () => clearInterval(timer))
  })
  expect(await follow(server.baseUrl, { until: 1, staleMs: 120 })).toEqual([1])
  expect(server.seen).toHaveLength(1)
})

test('after an outage the status settles on connected once nothing more arrives', async () => {
  server = await startTestServer((_, response, number) => {
    if (number === 1) response.destroy()
    else open(response, number)
    if (number === 2) setTimeout(() => response.destroy(), 20)
    if (number === 3) setTimeout(() => response.write('id: 9\ndata: {}\n\n'), 450)
  })
  const statuses: string[] = []
  await follow(server.baseUrl, { until: 9, onStatus: ({ kind }) => statuses.push(kind) })
  expect(statuses).toEqual(['connecting', 'offline', 'connected', 'offline', 'catching_up', 'connected'])
})

test('a stream that the server completes ends, and is not opened again', async () => {
  server = await startTestServer((_, response) => {
    open(response, 1, 2)
    response.end('event: end\ndata: {}\n\n')
  })
  expect(await follow(server.baseUrl, { until: 9 })).toEqual([1, 2])
  expect(server.seen).toHaveLength(1)
})

test('a reset is passed on and forgets the position', async () => {
  server = await startTestServer((_, response, number) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    if (number === 1) response.end('event: reset\ndata: {}\n\n')
    else response.write('id: 7\ndata: {}\n\n')
  })
  expect(await follow(server.baseUrl, { until: 7, after: 3 })).toEqual(['reset', 7])
  expect(server.seen[1]?.headers['last-event-id']).toBeUndefined()
})

test('a refused stream renews the session once, and fails when that does not help', async () => {
  server = await startTestServer((_, response) => sendJson(response, 401, { code: 'token_invalid' }))
  let renewals = 0
  const refresh = async () => {
    renewals++
    return true
  }
  const client = createClient({ baseUrl: server.baseUrl, access: { refresh } })
  const stream = client.stream('streamEvents', { signal: new AbortController().signal, backoff })
  await expect(stream.next()).rejects.toMatchObject({ status: 401 })
  expect(renewals).toBe(1)
})
