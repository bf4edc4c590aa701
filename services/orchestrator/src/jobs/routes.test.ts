import type { Job } from '@kyros/contract/job'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { entityTag } from '../http/entity-tag.ts'
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts'

const unknownId = '0190a000-0000-7000-8000-000000000001'

let platform: TestPlatform
let done: Job
beforeAll(async () => {
  platform = await startTestPlatform()
  const { id } = await platform.submit({ title: 'Greet Ada', workflow: 'greet', input: { name: 'Ada' } })
  done = await platform.awaitEnd(id)
  for (let index = 0; index < 5; index++)
    await platform.submit({ title: `Waits ${index}`, task: 'nobody does it' })
  await platform.awaitJob((await platform.submit({ title: 'last' })).id, ({ status }) => status === 'waiting')
})
afterAll(() => platform.stop())

test('the list is newest first, counts all and pages by cursor', async () => {
  const seen: string[] = []
  let url = '/api/v1/jobs?limit=3'
  for (;;) {
    const { jobs, next_cursor, total } = (await platform.get(url)).json()
    expect(total).toBe(7)
    seen.push(...jobs.map(({ title }: Job) => title))
    if (next_cursor === null) break
    url = `/api/v1/jobs?limit=3&cursor=${encodeURIComponent(next_cursor)}`
  }
  expect(seen).toEqual(['last', 'Waits 4', 'Waits 3', 'Waits 2', 'Waits 1', 'Waits 0', 'Greet Ada'])
})

test.each([
  ['status=completed', ['Greet Ada']],
  ['workflow=greet', ['Greet Ada']],
  ['q=greet', ['Greet Ada']],
  ['status=failed', []],
  ['agent_id=none', []],
  ['sort=created_at&limit=1', ['Greet Ada']],
])('the list filters by %s', async (query, titles) => {
  const { jobs } = (await platform.get(`/api/v1/jobs?${query}`)).json()
  expect(jobs.map(({ title }: Job) => title)).toEqual(titles)
})

test.each([
  ['status=nonsense', 'request_invalid'],
  ['limit=0', 'request_invalid'],
  ['limit=201', 'request_invalid'],
  ['limit=x', 'request_invalid'],
  ['project_id=x', 'request_invalid'],
  ['cursor=nonsense', 'cursor_invalid'],
])('the list refuses ?%s as %s', async (query, code) => {
  expect((await platform.get(`/api/v1/jobs?${query}`)).json().code).toBe(code)
})

test('the list and a job carry the tag of their body, and answer 304 to who has it', async () => {
  for (const url of ['/api/v1/jobs', '/api/v1/jobs/', `/api/v1/jobs/${done.id}`]) {
    const answer = await platform.get(url)
    expect(answer.headers.etag).toBe(entityTag(answer.json()))
    const again = await platform.get(url, {
      headers: { 'if-none-match': `"other", W/${answer.headers.etag}` },
    })
    expect(again.statusCode).toBe(304)
    expect(again.body).toBe('')
    const changed = await platform.get(url, { headers: { 'if-none-match': '"other"' } })
    expect(changed.statusCode).toBe(200)
  }
})

test('the events of a job are numbered and lead from its creation to its end', async () => {
  const answer = await platform.get(`/api/v1/jobs/${done.id}/events`)
  const { events, next_cursor } = answer.json()
  const types = events.map(({ type }: { type: string }) => type)
  expect(types).toContain('run.created')
  expect(types.at(-1)).toBe('run.completed')
  expect(next_cursor).toBeNull()
  expect(answer.headers.vary).toContain('Accept')
  const seqs = events.map(({ seq }: { seq: number }) => seq)
  expect(seqs).toEqual(seqs.toSorted((a: number, b: number) => a - b))
  const later = (await platform.get(`/api/v1/jobs/${done.id}/events?after=${seqs.at(-2)}`)).json().events
  expect(later.map(({ seq }: { seq: number }) => seq)).toEqual([seqs.at(-1)])
})

test("the events page by cursor, and another list's cursor is refused", async () => {
  const { events, next_cursor } = (await platform.get(`/api/v1/jobs/${done.id}/events?limit=2`)).json()
  const url = `/api/v1/jobs/${done.id}/events?limit=2&cursor=${encodeURIComponent(next_cursor)}`
  const next = (await platform.get(url)).json().events
  expect(next[0].seq).toBeGreaterThan(events[1].seq)
  const wrong = await platform.get(`/api/v1/jobs/${done.id}/events?cursor=nonsense`)
  expect(wrong.json().code).toBe('cursor_invalid')
})

test.each([
  ['GET', ''],
  ['GET', '/events'],
  ['POST', '/cancel'],
  ['POST', '/retry'],
  ['PUT', '/status?status=cancelled'],
  ['DELETE', ''],
] as const)('%s of a job that is not there%s is job_not_found', async (method, rest) => {
  const answer = await platform.send(method, `/api/v1/jobs/${unknownId}${rest}`)
  expect([answer.statusCode, answer.json().code]).toEqual([404, 'job_not_found'])
})

test('an id that is none is request_invalid', async () => {
  expect((await platform.get('/api/v1/jobs/42')).json()).toMatchObject({
    code: 'request_invalid',
    errors: [{ path: 'id', message: expect.stringMatching(/^must look like [0-9a-f-]{36}$/) }],
  })
})
