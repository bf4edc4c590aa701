import type { Job } from '@kyros/contract/job'
import type { Run } from '@kyros/contract/run'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listen, openStream } from '../testing/read-stream.ts'
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts'

let platform: TestPlatform
let origin: string
let job: Job
let token: string
beforeAll(async () => {
  platform = await startTestPlatform()
  origin = await listen(platform.app)
  const { id } = await platform.submit({ workflow: 'spread' })
  job = await platform.awaitJob(id, ({ reason }) => reason === 'waitpoint')
  const run = (await platform.get(`/api/v1/workflows/${job.run_id}`)).json<Run>()
  token = /answer\/([^?]+)\?/.exec(JSON.stringify(run.steps))?.[1] ?? ''
})
afterAll(() => platform.stop())

const hidden = '[waitpoint token]'
const ofRun = (path = '') => `/api/v1/workflows/${job.run_id}${path}`

/** Every read in which the run's token stands, by name. */
const reads: [name: string, path: () => string][] = [
  ['the run with its steps', () => ofRun()],
  ['the run as it was', () => ofRun(`?as_of=${encodeURIComponent(job.updated_at ?? '')}`)],
  ['its events', () => ofRun('/events?limit=200')],
  ['the events of its job', () => `/api/v1/jobs/${job.id}/events?limit=200`],
  ['all events', () => '/api/v1/events?limit=200'],
  ['the older list of events', () => '/events'],
  ['its log', () => ofRun('/logs')],
  ['its history', () => ofRun('/history')],
  ['its artifacts', () => ofRun('/artifacts')],
  ['an artifact', () => ofRun('/artifacts/mail.txt')],
]

const streams: [name: string, path: () => string][] = [
  ['its events', () => ofRun('/events')],
  ['the events of its job', () => `/api/v1/jobs/${job.id}/events`],
  ['all events', () => '/api/v1/events/stream?after=0'],
  ['the tail of all events', () => '/api/v1/events/tail?once=1'],
  ['its log', () => ofRun('/logs')],
  ['what its steps stream', () => ofRun('/streams/links')],
]

/** What of a stream comes within a moment; it has its say at once, as everything is written. */
async function readStream(path: string, as: string): Promise<string> {
  const headers = { authorization: `Bearer ${as}`, accept: 'text/event-stream' }
  const stream = await openStream(`${origin}${path}`, headers)
  let text = ''
  const isSeen = () => text.includes(token) || text.includes(hidden)
  while (!isSeen()) text += (await stream.take(1)).map(({ data }) => data).join('\n')
  await stream.close()
  return text
}

describe.each(reads)('%s', (_name, path) => {
  test.each(['operator', 'admin'] as const)(
    'shows the token to the %s who may act on the run',
    async (as) => {
      expect((await platform.get(path(), { as })).body).toContain(token)
    },
  )

  test.each(['viewer', 'other'] as const)('hides it from the %s who may not', async (as) => {
    const answer = await platform.get(path(), { as })
    expect(answer.statusCode).toBe(200)
    expect(answer.body).not.toContain(token.slice(-24))
    expect(answer.body).toContain(hidden)
    expect(answer.headers.etag).toBeUndefined()
  })
})

describe.each(streams)('the stream of %s', (_name, path) => {
  test('shows the token to who may act on the run', async () => {
    expect(await readStream(path(), 'operator')).toContain(token)
  })

  test.each(['viewer', 'other'])('hides it from the %s who may not', async (as) => {
    const text = await readStream(path(), as)
    expect(text).not.toContain(token.slice(-24))
    expect(text).toContain(hidden)
  })
})

test('answers to queries, and why the run waits, hide it too', async () => {
  const ask = (as: 'viewer' | 'operator') =>
    platform.send('POST', ofRun('/query/link'), { as, payload: {} }).then(({ body }) => body)
  expect(await ask('operator')).toContain(token)
  expect(await ask('viewer')).toContain(hidden)
  expect((await platform.get(ofRun('/why'), { as: 'viewer' })).body).not.toContain(token.slice(-24))
})

test('the holder of one token does not learn another from its question', async () => {
  const asked = await platform.send('POST', ofRun('/query/second'), { payload: {} })
  const second = asked.json<{ result: string }>().result
  const question = await platform.get(`/api/v1/waitpoints/${second}`, { as: 'nobody' })
  expect(question.json()).toMatchObject({ name: 'again', title: `After ${hidden}` })
})

test('what only looks like a token stays as it is', async () => {
  const likeOne = `${job.run_id}.1.${'A'.repeat(24)}`
  await platform.send('POST', '/api/v1/events', { payload: { type: 'app.note', payload: { likeOne } } })
  const answer = await platform.get('/api/v1/events?type=app.note', { as: 'viewer' })
  expect(answer.body).toContain(likeOne)
})

test('a token in front of which other text stands is found', async () => {
  const core = token.split('.').slice(1).join('.')
  for (const text of [token, core, `see${token}`, `password.${core}`, `a.b.c.${token}x`]) {
    await platform.send('POST', '/api/v1/events', { payload: { type: 'app.form', payload: { text } } })
  }
  const answer = await platform.get('/api/v1/events?type=app.form', { as: 'viewer' })
  expect(answer.json().events).toHaveLength(5)
  expect(answer.body).not.toContain(core.slice(-24))
  expect(answer.body.split(hidden)).toHaveLength(6)
})
