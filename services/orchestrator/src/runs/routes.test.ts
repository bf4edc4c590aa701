import type { Job, RunMetrics, RunStarted } from '@kyros/contract/job'
import type { Run } from '@kyros/contract/run'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts'

const unknownId = '0190a000-0000-7000-8000-000000000001'

let platform: TestPlatform
let greeted: Job
beforeAll(async () => {
  platform = await startTestPlatform()
  greeted = await platform.awaitEnd((await platform.submit({ workflow: 'greet', input: { name: 'Ada' } })).id)
})
afterAll(() => platform.stop())

const start = (payload: object, headers = {}) =>
  platform.send('POST', '/api/v1/workflows', { payload, headers })
const getRun = async (id: string) => (await platform.get(`/api/v1/workflows/${id}`)).json<Run>()

describe('start', () => {
  test('makes a job and its run', async () => {
    const answer = await start({
      name: 'Nightly',
      type: 'greet',
      description: 'Says hello',
      priority: 'low',
      input: { name: 'Bob' },
      max_retries: 1,
      timeout_seconds: 60,
    })
    expect(answer.statusCode).toBe(201)
    const started = answer.json<RunStarted>()
    expect(started).toMatchObject({ workflow_id: started.run_id, status: 'pending' })
    expect(answer.headers.location).toBe(`/api/v1/workflows/${started.run_id}`)
    const job = await platform.awaitEnd(started.job_id)
    expect(job).toMatchObject({
      title: 'Nightly',
      task: 'Says hello',
      run_id: started.run_id,
      priority: 'low',
    })
    const run = await getRun(started.run_id)
    expect(run).toMatchObject({
      name: 'Nightly',
      type: 'greet',
      max_retries: 1,
      timeout_seconds: 60,
      job_id: job.id,
    })
  })

  test('with one key twice starts one run', async () => {
    const body = { name: 'Once', type: 'greet', input: { name: 'Bob' } }
    const headers = { 'idempotency-key': 'start-once' }
    const first = await start(body, headers)
    const second = await start(body, headers)
    expect(second.json()).toEqual(first.json())
    expect((await start({ ...body, name: 'Other' }, headers)).json().code).toBe('idempotency_key_reused')
    expect((await start(body, { 'idempotency-key': '' })).json().code).toBe('idempotency_key_invalid')
  })

  test.each([
    ['an unknown type', { name: 'a', type: 'nothing' }, 422, 'workflow_unknown'],
    ['an input that does not fit', { name: 'a', type: 'greet', input: {} }, 422, 'workflow_input_invalid'],
    ['an unknown project', { name: 'a', type: 'hold', project_id: unknownId }, 404, 'project_not_found'],
    ['no name', { type: 'greet' }, 422, 'request_invalid'],
    ['a blank name', { name: '  ', type: 'hold' }, 422, 'request_invalid'],
  ])('%s is refused', async (_name, body, status, code) => {
    const answer = await start(body)
    expect([answer.statusCode, answer.json().code]).toEqual([status, code])
  })

  test.each([
    ['/type', { name: 'a', type: 'nothing' }],
    ['/name', { name: '  ', type: 'hold' }],
    ['/input/name', { name: 'a', type: 'greet', input: {} }],
  ])('a fault points at the field that was sent: %s', async (path, body) => {
    expect((await start(body)).json().errors).toMatchObject([{ path }])
  })
})

describe('a run', () => {
  test('shows its steps and attempts, folded from its events', async () => {
    const run = await getRun(greeted.run_id)
    expect(run).toMatchObject({ id: greeted.run_id, run_id: greeted.run_id, workflow_id: greeted.run_id })
    expect(run).toMatchObject({
      status: 'completed',
      result: { greeting: 'Hello Ada' },
      input: { name: 'Ada' },
    })
    expect(run.steps).toHaveLength(1)
    expect(run.steps[0]).toMatchObject({
      name: 'Greet',
      status: 'completed',
      output: { greeting: 'Hello Ada' },
    })
    expect(run.steps[0]?.attempts).toMatchObject([{ attempt: 1, status: 'completed', error: null }])
    expect(run).not.toHaveProperty('created_by_role')
  })

  test('that failed shows every attempt and why', async () => {
    const job = await platform.awaitEnd((await platform.submit({ workflow: 'fault' })).id)
    expect(job).toMatchObject({ status: 'failed', reason: 'step_failed' })
    const run = await getRun(job.run_id)
    expect(run.steps[0]?.attempts.map(({ error }) => error?.code)).toEqual(['tool_broken', 'tool_broken'])
    const metrics = (await platform.get(`/api/v1/workflows/${run.id}/metrics`)).json<RunMetrics>()
    expect(metrics).toMatchObject({ workflow_id: run.id, status: 'failed', retry_count: 1 })
    expect(metrics.step_metrics).toMatchObject([{ name: 'Break', status: 'failed', retry_count: 1 }])
  })

  test('with a large result gives it whole, to the job too', async () => {
    const { id } = await platform.submit({ workflow: 'fill', input: { bytes: 200_000 } })
    const job = await platform.awaitEnd(id)
    expect(job.result).toEqual({ text: 'x'.repeat(200_000) })
    const run = await getRun(job.run_id)
    expect(run.result).toEqual(job.result)
    expect(run.steps[0]?.output).toEqual(job.result)
  })

  test('measures how long it and its steps took', async () => {
    const metrics = (await platform.get(`/api/v1/workflows/${greeted.run_id}/metrics`)).json<RunMetrics>()
    expect(metrics.duration_seconds).toBeGreaterThanOrEqual(0)
    expect(metrics.step_metrics[0]?.duration_ms).toBeGreaterThanOrEqual(0)
  })

  test('exports all that a replay needs', async () => {
    const history = (await platform.get(`/api/v1/workflows/${greeted.run_id}/history`)).json()
    expect(history.run.id).toBe(greeted.run_id)
    expect(history.definition).toContain('greet')
    expect(history.events.map(({ run_seq }: { run_seq: number }) => run_seq)).toEqual(
      history.events.map((_event: unknown, index: number) => index + 1),
    )
  })

  test('of a run of the embedded engine no cluster has anything', async () => {
    const executions = (await platform.get(`/api/v1/workflows/${greeted.run_id}/executions`)).json()
    expect(executions).toEqual({
      ...{ build: '', code: null, code_missing: null },
      ...{ histories: [], is_whole: true },
    })
  })

  test('answers 304 to who has it', async () => {
    const { headers } = await platform.get(`/api/v1/workflows/${greeted.run_id}`)
    const again = { 'if-none-match': String(headers.etag) }
    expect((await platform.get(`/api/v1/workflows/${greeted.run_id}`, { headers: again })).statusCode).toBe(
      304,
    )
  })
})

describe('signals and why', () => {
  test('a run that waits says for what, and a signal moves it', async () => {
    const { id, run_id } = await platform.submit({ workflow: 'hold' })
    await platform.awaitJob(id, ({ status }) => status === 'waiting')
    const why = (await platform.get(`/api/v1/workflows/${run_id}/why`)).json()
    expect(why).toMatchObject({ run_id, status: 'waiting' })
    expect(why.waits_for[0]).toMatchObject({ kind: 'signal', name: 'go' })
    const sent = await platform.send('POST', `/api/v1/workflows/${run_id}/signal/go`, {
      payload: { ok: [1] },
    })
    expect(sent.statusCode).toBe(200)
    expect(await platform.awaitEnd(id)).toMatchObject({
      status: 'completed',
      result: { payload: { ok: [1] } },
    })
    const late = await platform.send('POST', `/api/v1/workflows/${run_id}/signal/go`)
    expect([late.statusCode, late.json().code]).toEqual([409, 'run_ended'])
  })

  test('a signal under the same key is the same one, also after the end; another body is another one', async () => {
    const { run_id, id } = await platform.submit({ workflow: 'hold' })
    await platform.awaitJob(id, ({ status }) => status === 'waiting')
    const send = async (payload: string) => {
      const headers = { 'content-type': 'application/json', 'idempotency-key': 'once' }
      const sent = await platform.send('POST', `/api/v1/workflows/${run_id}/signal/go`, { payload, headers })
      return [sent.statusCode, sent.body]
    }
    const first = await send('{"by":"ada"}')
    await platform.awaitEnd(id)
    expect(await send('{"by":"ada"}')).toEqual(first)
    expect((await send('{"by":"bob"}'))[0]).toBe(409)
    const events = await platform.get(`/api/v1/workflows/${run_id}/events`)
    const types = events.json<{ events: { type: string }[] }>().events.map(({ type }) => type)
    expect(types.filter((type) => type === 'signal.received')).toHaveLength(1)
  })

  test('a signal without a body is null', async () => {
    const { id, run_id } = await platform.submit({ workflow: 'hold' })
    await platform.awaitJob(id, ({ status }) => status === 'waiting')
    expect((await platform.send('POST', `/api/v1/workflows/${run_id}/signal/go`)).statusCode).toBe(200)
    expect((await platform.awaitEnd(id)).result).toEqual({ payload: null })
  })
})

test('cancel answers with the run; a second time it has ended', async () => {
  const { run_id } = await platform.submit({ title: 'waits' })
  const answer = await platform.send('POST', `/api/v1/workflows/${run_id}/cancel`, {
    payload: { reason: 'why not' },
  })
  expect(answer.json()).toMatchObject({ id: run_id, status: 'cancelled', steps: [] })
  const again = await platform.send('POST', `/api/v1/workflows/${run_id}/cancel`)
  expect([again.statusCode, again.json().code]).toEqual([409, 'run_ended'])
})

test('retry starts a new run of the same job', async () => {
  const job = await platform.awaitEnd(
    (await platform.submit({ workflow: 'greet', input: { name: 'Eve' } })).id,
  )
  const headers = { 'idempotency-key': 'retry-run' }
  const answer = await platform.send('POST', `/api/v1/workflows/${job.run_id}/retry`, { headers })
  expect(answer.statusCode).toBe(201)
  const started = answer.json<RunStarted>()
  expect(started).toMatchObject({ job_id: job.id, status: 'pending' })
  const repeated = await platform.send('POST', `/api/v1/workflows/${job.run_id}/retry`, { headers })
  expect(repeated.json()).toEqual(started)
  expect(await platform.awaitEnd(job.id)).toMatchObject({ run_id: started.run_id, attempt: 2 })
  const { run_id } = await platform.submit({ title: 'waits' })
  const early = await platform.send('POST', `/api/v1/workflows/${run_id}/retry`)
  expect([early.statusCode, early.json().code]).toEqual([409, 'run_not_ended'])
})

test('the list is newest first, filters, counts and pages', async () => {
  const { workflows, total, next_cursor } = (await platform.get('/api/v1/workflows?limit=1')).json()
  expect(workflows).toHaveLength(1)
  expect(total).toBeGreaterThan(1)
  const second = await platform.get(`/api/v1/workflows?limit=1&cursor=${encodeURIComponent(next_cursor)}`)
  expect(second.json().workflows[0].id).not.toBe(workflows[0].id)
  const ofJob = (await platform.get(`/api/v1/workflows?job_id=${greeted.id}`)).json().workflows
  expect(ofJob.map(({ id }: Run) => id)).toEqual([greeted.run_id])
  expect((await platform.get('/api/v1/workflows?cursor=nonsense')).json().code).toBe('cursor_invalid')
})

test('the list is narrowed by attributes, also as it was before they were set', async () => {
  const { run_id } = await platform.submit({ title: 'has attributes' })
  const attributes = { customer: 'acme', tries: 2 }
  const event = { type: 'attributes.set', timeMs: Date.now(), data: { command: 1, attributes } } as const
  await platform.store.write({ kind: 'append_run_events', runId: run_id, events: [event] })
  const found = async (query: string) => (await platform.get(`/api/v1/workflows?${query}`)).json().workflows
  expect(await found('attribute=customer=acme&attribute=tries=2')).toMatchObject([{ id: run_id, attributes }])
  expect(await found('attribute=customer=other')).toEqual([])
  const { last_seq } = await getRun(run_id)
  expect(await found(`attribute=customer=acme&as_of=${last_seq}`)).toHaveLength(1)
  expect(await found(`attribute=customer=acme&as_of=${last_seq - 1}`)).toEqual([])
  expect((await platform.get('/api/v1/workflows?attribute=acme')).json().code).toBe('request_invalid')
})

test('the workflows that can be started are listed with their input schema', async () => {
  const { workflow_types } = (await platform.get('/api/v1/workflow-types')).json()
  const greet = workflow_types.find(({ name }: { name: string }) => name === 'greet')
  expect(greet).toMatchObject({
    title: 'Greeting',
    steps: [{ name: 'Greet' }],
    input_schema: { type: 'object' },
  })
})

test.each([
  ['GET', ''],
  ['GET', '/events'],
  ['GET', '/logs'],
  ['GET', '/why'],
  ['GET', '/metrics'],
  ['GET', '/history'],
  ['GET', '/executions'],
  ['GET', '/artifacts'],
  ['GET', '/artifacts/x'],
  ['POST', '/cancel'],
  ['POST', '/retry'],
  ['POST', '/signal/go'],
] as const)('%s%s of a run that is not there is run_not_found', async (method, rest) => {
  const answer = await platform.send(method, `/api/v1/workflows/${unknownId}${rest}`)
  expect([answer.statusCode, answer.json().code]).toEqual([404, 'run_not_found'])
})
