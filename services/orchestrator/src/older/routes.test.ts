import { afterAll, beforeAll, expect, test } from 'vitest'
import { listen, openStream } from '../testing/read-stream.ts'
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts'

let platform: TestPlatform
beforeAll(async () => {
  platform = await startTestPlatform()
})
afterAll(() => platform.stop())

const html = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

test('POST /jobs takes an agent and a task, also of an agent that nobody knows', async () => {
  const answer = await platform.send('POST', '/jobs', { payload: { agent_id: 'test', task: 'test' } })
  expect([answer.statusCode, answer.json()]).toEqual([
    200,
    { job_id: expect.any(String), status: 'accepted' },
  ])
  const { jobs } = (await platform.get('/jobs')).json()
  expect(jobs[0]).toMatchObject({
    id: answer.json().job_id,
    agent_id: 'test',
    task: 'test',
    created_at: expect.any(String),
  })
})

test('both take an Idempotency-Key', async () => {
  const headers = { 'idempotency-key': 'older' }
  const send = (url: string, payload: object) => platform.send('POST', url, { payload, headers })
  const first = await send('/jobs', { agent_id: 'test', task: 'once' })
  expect((await send('/jobs', { agent_id: 'test', task: 'once' })).json()).toEqual(first.json())
  expect((await send('/jobs', { agent_id: 'test', task: 'twice' })).json().code).toBe(
    'idempotency_key_reused',
  )
  await send('/events', { type: 'app.keyed', payload: {} })
  expect((await send('/events', { type: 'app.keyed', payload: {} })).json()).toEqual({ status: 'emitted' })
  expect((await platform.get('/api/v1/events?type=app.keyed')).json().events).toHaveLength(1)
})

test.each([
  ['/jobs', {}],
  ['/jobs', { agent_id: 'test' }],
  ['/jobs', { agent_id: 1, task: 'x' }],
  ['/events', {}],
  ['/events', { type: 'x' }],
  ['/events', { type: 'x', payload: 'text' }],
])('POST %s with %j is 400, as the older documents say', async (url, payload) => {
  const answer = await platform.send('POST', url, { payload })
  expect([answer.statusCode, answer.json().code]).toEqual([400, 'request_malformed'])
  expect(answer.json().errors.length).toBeGreaterThan(0)
})

test('POST /events writes an event; the reserved types are refused here too', async () => {
  const answer = await platform.send('POST', '/events', { payload: { type: 'app.older', payload: { a: 1 } } })
  expect([answer.statusCode, answer.json()]).toEqual([200, { status: 'emitted' }])
  const refused = await platform.send('POST', '/events', { payload: { type: 'job.created', payload: {} } })
  expect([refused.statusCode, refused.json().code]).toEqual([422, 'event_type_reserved'])
})

test('GET /events gives the last events as JSON, or the stream', async () => {
  await platform.send('POST', '/events', { payload: { type: 'app.last', payload: {} } })
  const answer = await platform.get('/events')
  expect(answer.json().status).toBe('sse_stream_started')
  expect(answer.json().events.at(-1)).toMatchObject({ type: 'app.last' })
  expect(answer.headers.vary).toContain('Accept')
  const stream = await openStream(`${await listen(platform.app)}/events`)
  expect(stream.response.headers.get('content-type')).toContain('text/event-stream')
  await platform.send('POST', '/events', { payload: { type: 'app.next', payload: {} } })
  expect(JSON.parse((await stream.take(1))[0]?.data ?? '')).toMatchObject({ type: 'app.next' })
  await stream.close()
})

test.each(['/jobs', '/events', '/'])(
  'a browser at %s gets the console without signing in first',
  async (url) => {
    const answer = await platform.get(url, { as: 'nobody', headers: html })
    expect(answer.headers['content-type']).toContain('text/html')
    expect(answer.headers.vary).toContain('Accept')
  },
)

test.each(['/jobs', '/events'])('anybody else at %s needs credentials', async (url) => {
  expect((await platform.get(url, { as: 'nobody' })).json().code).toBe('credentials_missing')
})
