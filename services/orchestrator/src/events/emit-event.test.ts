import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts'

let platform: TestPlatform
beforeAll(async () => {
  platform = await startTestPlatform()
})
afterAll(() => platform.stop())

const emit = (payload: object, headers = {}) => platform.send('POST', '/api/v1/events', { payload, headers })
const find = async (seq: number) =>
  (await platform.get(`/api/v1/events?after=${seq - 1}&before=${seq + 1}`)).json().events[0]

test('an event is kept with its number, its sender and its payload', async () => {
  const answer = await emit({ type: 'app.deployed', payload: { version: '1.2.3' } })
  expect(answer.statusCode).toBe(201)
  const { id, seq, ...rest } = answer.json()
  expect(rest).toEqual({ status: 'emitted', ok: true })
  expect(await find(seq)).toMatchObject({
    id,
    seq,
    type: 'app.deployed',
    subject: 'events',
    actor: 'user:operator',
    data: { version: '1.2.3' },
  })
})

test('the older shape is the same event', async () => {
  const { seq } = (await emit({ event: 'app.deployed', target: 'apps/shop', details: { by: 'x' } })).json()
  expect(await find(seq)).toMatchObject({ type: 'app.deployed', subject: 'apps/shop', data: { by: 'x' } })
})

test.each([
  ['text', 'x', { value: 'x' }],
  ['a list', [1], { value: [1] }],
  ['null', null, {}],
])('a payload that is %s is kept as a field', async (_name, payload, data) => {
  const { seq } = (await emit({ type: 'app.any', payload })).json()
  expect((await find(seq)).data).toEqual(data)
})

test.each([
  ['a type of the platform', { type: 'run.completed', payload: {} }, 'event_type_reserved'],
  ['the same in the older shape', { event: 'job.created', target: 'x' }, 'event_type_reserved'],
  ['no type', { payload: {} }, 'request_invalid'],
  ['two types', { type: 'a', event: 'b' }, 'request_invalid'],
  ['a type that is no name', { type: '1 2' }, 'request_invalid'],
  ['a subject no database keeps', { event: 'a', target: 'a\0b' }, 'request_invalid'],
  ['an unknown field', { type: 'a', data: {} }, 'request_invalid'],
])('%s is refused', async (_name, body, code) => {
  const answer = await emit(body)
  expect([answer.statusCode, answer.json().code]).toEqual([422, code])
})

describe('an Idempotency-Key', () => {
  test('gives the first answer again and writes one event', async () => {
    const headers = { 'idempotency-key': 'emit-once' }
    const body = { type: 'app.once', payload: { n: 1 } }
    const first = await emit(body, headers)
    await emit({ type: 'app.once', payload: { n: 2 } })
    const second = await emit(body, headers)
    expect(second.statusCode).toBe(201)
    expect(second.json()).toEqual(first.json())
    expect((await platform.get('/api/v1/events?type=app.once')).json().events).toHaveLength(2)
  })

  test('is answered with its own event, however many come in the same moment', async () => {
    const requests = Array.from({ length: 16 }, (_, index) => ({
      ...{ body: { type: 'app.many', payload: {} }, headers: { 'idempotency-key': `emit-many-${index}` } },
    }))
    const firsts = await Promise.all(requests.map(({ body, headers }) => emit(body, headers)))
    const seconds = await Promise.all(requests.map(({ body, headers }) => emit(body, headers)))
    expect(seconds.map((answer) => answer.body)).toEqual(firsts.map((answer) => answer.body))
  })

  test('with another body is idempotency_key_reused, with a bad one idempotency_key_invalid', async () => {
    const headers = { 'idempotency-key': 'emit-reused' }
    await emit({ type: 'app.a' }, headers)
    expect((await emit({ type: 'app.b' }, headers)).json().code).toBe('idempotency_key_reused')
    expect((await emit({ type: 'app.a' }, { 'idempotency-key': 'ä' })).json().code).toBe(
      'idempotency_key_invalid',
    )
  })

  test('whose first request still runs is idempotency_key_in_flight', async () => {
    const { store } = platform
    const { promise: gate, resolve: open } = Promise.withResolvers<void>()
    const { write } = store
    store.write = async (command) => {
      await gate
      return write(command)
    }
    const headers = { 'idempotency-key': 'emit-flight' }
    const first = emit({ type: 'app.slow' }, headers)
    const second = await emit({ type: 'app.slow' }, headers)
    store.write = write
    open()
    expect((await first).statusCode).toBe(201)
    expect(second.json().code).toBe('idempotency_key_in_flight')
  })
})

test('the list filters by type and subject and pages in the order of the numbers', async () => {
  for (let index = 0; index < 3; index++)
    await emit({ event: 'app.page', target: 'pages', details: { index } })
  const first = (await platform.get('/api/v1/events?type=app.page&subject=pages&limit=2')).json()
  expect(first.events.map(({ data }: { data: { index: number } }) => data.index)).toEqual([0, 1])
  const url = `/api/v1/events?type=app.page&subject=pages&limit=2&cursor=${encodeURIComponent(first.next_cursor)}`
  const second = (await platform.get(url)).json()
  expect(second.events.map(({ data }: { data: { index: number } }) => data.index)).toEqual([2])
  expect(second.next_cursor).toBeNull()
  expect((await platform.get('/api/v1/events?cursor=nonsense')).json().code).toBe('cursor_invalid')
})
