import type { Job } from '@kyros/contract/job'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { entityTag } from '../http/entity-tag.ts'
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts'

let platform: TestPlatform
beforeAll(async () => {
  platform = await startTestPlatform()
})
afterAll(() => platform.stop())

const submit = (payload: object | string, headers: Record<string, string> = {}) =>
  platform.send('POST', '/api/v1/jobs', {
    payload,
    headers: { 'content-type': 'application/json', ...headers },
  })

describe('what is missing is filled in', () => {
  test('a title alone makes a pending job in the project default', async () => {
    const answer = await submit({ title: '  Test Job  ' })
    expect(answer.statusCode).toBe(201)
    const job = answer.json<Job>()
    const { projects } = (await platform.get('/api/v1/projects')).json()
    expect(job).toMatchObject({
      title: 'Test Job',
      name: 'Test Job',
      status: 'pending',
      priority: 'medium',
      project_id: projects[0].id,
      attempt: 1,
      created_by: 'user:operator',
      updated_at: null,
      result: null,
    })
    expect(answer.headers.location).toBe(`/api/v1/jobs/${job.id}`)
    expect(answer.headers.etag).toBe(entityTag(job))
  })

  test('it waits with a reason that says what is missing, and does not fail', async () => {
    const { id } = await platform.submit({ agent_id: 'test', task: 'test' })
    const job = await platform.awaitJob(id, ({ status }) => status === 'waiting')
    expect(job).toMatchObject({ title: 'test', reason: 'agent_missing', agent_id: 'test' })
  })

  test('the title is the first line of the task, cut to what a title may have', async () => {
    expect(await platform.submit({ task: '\n  First line \nsecond' })).toMatchObject({ title: 'First line' })
    const { title } = await platform.submit({ task: '𝒶'.repeat(300) })
    expect([...title]).toHaveLength(255)
  })

  test('without both, it is what the workflow is called', async () => {
    const job = await platform.submit({ workflow: 'greet', input: { name: 'Ada' } })
    expect(job.title).toBe('Greeting')
  })

  test('a title that was too long only before trimming is taken', async () => {
    const answer = await submit({ title: `${' '.repeat(100)}${'t'.repeat(255)}${' '.repeat(100)}` })
    expect(answer.json().title).toHaveLength(255)
  })
})

test('the job that is answered is the job that is kept', async () => {
  const body = {
    title: 'a',
    task: 'b',
    metadata: { team: 'x' },
    priority: 'high',
    config: { max_retries: 0 },
  }
  const submitted = await platform.submit(body)
  const kept = (await platform.get(`/api/v1/jobs/${submitted.id}`)).json<Job>()
  const { status, reason, reason_detail, updated_at, ...fixed } = submitted
  expect(kept).toMatchObject(fixed)
  expect(kept.metadata).toEqual({ team: 'x', config: { max_retries: 0 } })
})

test("a workflow runs to its end and its result is the job's", async () => {
  const { id } = await platform.submit({ workflow: 'greet', input: { name: 'Ada' } })
  const job = await platform.awaitEnd(id)
  expect(job).toMatchObject({ status: 'completed', result: { greeting: 'Hello Ada' }, steps_completed: 1 })
})

test('a run_at in the future makes the run wait for it', async () => {
  const run_at = new Date(Date.now() + 3_600_000).toISOString()
  const { id } = await platform.submit({ workflow: 'greet', input: { name: 'Ada' }, run_at })
  expect(await platform.awaitJob(id, ({ status }) => status === 'waiting')).toMatchObject({ reason: 'timer' })
})

describe('what cannot be done is refused, and nothing is made', () => {
  const uuid = '0190a000-0000-7000-8000-000000000001'
  test.each([
    ['nothing to do', {}, 'job_empty', undefined],
    ['only an agent', { agent_id: 'test' }, 'job_empty', undefined],
    ['a blank task', { task: '  \n ' }, 'job_empty', undefined],
    ['a blank title', { title: '   ' }, 'request_invalid', '/title'],
    ['an empty title', { title: '' }, 'request_invalid', '/title'],
    ['a long title', { title: 't'.repeat(256) }, 'request_invalid', '/title'],
    ['a title of another type', { title: 7 }, 'request_invalid', '/title'],
    ['a character no database keeps', { title: 'a\0b' }, 'request_invalid', '/title'],
    ['an unknown field', { title: 'a', titel: 'b' }, 'request_invalid', '/titel'],
    ['a list instead of an object', [], 'request_invalid', ''],
    ['an unknown priority', { title: 'a', priority: 'urgent' }, 'request_invalid', '/priority'],
    [
      'retries out of range',
      { title: 'a', config: { max_retries: -1 } },
      'request_invalid',
      '/config/max_retries',
    ],
    ['a time that is none', { title: 'a', run_at: '2026-13-01T00:00:00Z' }, 'request_invalid', '/run_at'],
    ['an unknown workflow', { workflow: 'nothing' }, 'workflow_unknown', '/workflow'],
    [
      'an input that does not fit',
      { workflow: 'greet', input: { name: '' } },
      'workflow_input_invalid',
      '/input/name',
    ],
    ['no input where one is needed', { workflow: 'greet' }, 'workflow_input_invalid', undefined],
    ['an unknown project', { title: 'a', project_id: uuid }, 'project_not_found', undefined],
  ])('%s', async (_name, body, code, path) => {
    const before = (await platform.get('/api/v1/jobs')).json().total
    const answer = await submit(body)
    expect(answer.json()).toMatchObject({ code, type: `/docs/errors/${code}`, status: answer.statusCode })
    expect(answer.headers['content-type']).toContain('application/problem+json')
    if (path !== undefined) expect(answer.json().errors[0].path).toBe(path)
    expect((await platform.get('/api/v1/jobs')).json().total).toBe(before)
  })

  test('an unknown workflow names the known ones', async () => {
    expect((await submit({ workflow: 'nothing' })).json().detail).toContain('greet')
  })
})

describe('an Idempotency-Key', () => {
  const keyed = (key: string, payload: object, as: 'operator' | 'other' = 'operator') =>
    platform.send('POST', '/api/v1/jobs', { payload, as, headers: { 'idempotency-key': key } })

  test('gives the first answer again, with its headers', async () => {
    const first = await keyed('same', { title: 'once', metadata: { a: 1, b: 2 } })
    const second = await keyed('same', { metadata: { b: 2, a: 1 }, title: 'once' })
    expect(second.statusCode).toBe(201)
    expect(second.json()).toEqual(first.json())
    expect(second.headers.etag).toBe(first.headers.etag)
    expect(second.headers.location).toBe(first.headers.location)
  })

  test('belongs to one caller', async () => {
    const mine = await keyed('mine', { title: 'a' })
    const theirs = await keyed('mine', { title: 'a' }, 'other')
    expect(theirs.json().id).not.toBe(mine.json().id)
  })

  test('with another body is refused as idempotency_key_reused', async () => {
    await keyed('reused', { title: 'a' })
    const answer = await keyed('reused', { title: 'b' })
    expect(answer.statusCode).toBe(422)
    expect(answer.json().code).toBe('idempotency_key_reused')
  })

  test('makes one job of many requests at once', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => keyed('burst', { title: 'burst' })))
    const made = answers.filter(({ statusCode }) => statusCode === 201).map((answer) => answer.json<Job>().id)
    expect(new Set(made).size).toBe(1)
  })

  test('whose first request still runs is idempotency_key_in_flight, until it is answered', async () => {
    const { engine } = platform
    const { promise: gate, resolve: open } = Promise.withResolvers<void>()
    const submitNow = engine.submit
    engine.submit = async (submission) => {
      await gate
      return submitNow(submission)
    }
    const first = keyed('flight', { title: 'slow' })
    const second = await keyed('flight', { title: 'slow' })
    expect([second.statusCode, second.json().code]).toEqual([409, 'idempotency_key_in_flight'])
    expect(second.headers['retry-after']).toBe('1')
    open()
    engine.submit = submitNow
    expect((await keyed('flight', { title: 'slow' })).json()).toEqual((await first).json())
  })

  test('that is not printable is refused as idempotency_key_invalid', async () => {
    expect((await keyed('k'.repeat(256), { title: 'a' })).json().code).toBe('idempotency_key_invalid')
  })

  test('of a request that was refused can be used again', async () => {
    expect((await keyed('again', {})).statusCode).toBe(422)
    expect((await keyed('again', { title: 'now' })).statusCode).toBe(201)
  })
})

test('the credentials decide: none 401, a viewer 403', async () => {
  const none = await platform.send('POST', '/api/v1/jobs', { as: 'nobody', payload: { title: 'a' } })
  expect([none.statusCode, none.json().code]).toEqual([401, 'credentials_missing'])
  const viewer = await platform.send('POST', '/api/v1/jobs', { as: 'viewer', payload: { title: 'a' } })
  expect([viewer.statusCode, viewer.json().code]).toEqual([403, 'permission_denied'])
})
