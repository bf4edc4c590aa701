import type { Job } from '@kyros/contract/job'
import { systemClock } from '@kyros/kernel/clock'
import { createNewId } from '@kyros/kernel/new-id'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mustOwn } from '../runs/must-own.ts'
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts'

const newId = createNewId(systemClock)
let platform: TestPlatform
beforeAll(async () => {
  platform = await startTestPlatform()
})
afterAll(() => platform.stop())

async function running(): Promise<Job> {
  const { id } = await platform.submit({ workflow: 'hang' })
  return platform.awaitJob(id, ({ status, steps_total }) => status === 'running' && steps_total > 0)
}

async function completed(): Promise<Job> {
  const { id } = await platform.submit({ workflow: 'greet', input: { name: 'Ada' } })
  return platform.awaitEnd(id)
}

describe('cancel', () => {
  test('ends a job that nobody works on at once, and says so', async () => {
    const { id } = await platform.submit({ title: 'waits' })
    const answer = await platform.send('POST', `/api/v1/jobs/${id}/cancel`, {
      payload: { reason: 'not needed' },
    })
    expect(answer.json()).toMatchObject({ id, status: 'cancelled', reason_detail: 'not needed' })
  })

  test('stops the steps of a running job; no body is needed', async () => {
    const { id } = await running()
    expect((await platform.send('POST', `/api/v1/jobs/${id}/cancel`)).statusCode).toBe(200)
    expect(await platform.awaitEnd(id)).toMatchObject({ status: 'cancelled' })
  })

  test('of a job that has ended is run_ended', async () => {
    const { id } = await completed()
    const answer = await platform.send('POST', `/api/v1/jobs/${id}/cancel`)
    expect([answer.statusCode, answer.json().code]).toEqual([409, 'run_ended'])
  })
})

describe('a job of somebody else', () => {
  const acts = [
    ['POST', (id: string) => `/api/v1/jobs/${id}/cancel`],
    ['POST', (id: string) => `/api/v1/jobs/${id}/retry`],
    ['DELETE', (id: string) => `/api/v1/jobs/${id}?force=true`],
  ] as const

  test.each(acts)('is not for another operator to change: %s %s', async (method, path) => {
    const { id, status } = await completed()
    const answer = await platform.send(method, path(id), { as: 'other' })
    expect([answer.statusCode, answer.json().code]).toEqual([403, 'permission_denied'])
    expect(answer.json().detail).toContain('was created by user:operator. Ask them or an admin')
    expect((await platform.send('GET', `/api/v1/jobs/${id}`)).json()).toMatchObject({ attempt: 1, status })
  })

  test('is an admin’s to cancel, retry and delete', async () => {
    const { id } = await running()
    const [cancel, retry, remove] = acts
    for (const [method, path] of [cancel, retry, cancel, remove]) {
      if (path === retry[1]) await platform.awaitEnd(id)
      expect((await platform.send(method, path(id), { as: 'admin' })).statusCode).toBeLessThan(300)
    }
  })

  test('which its owner’s API key made is the owner’s', async () => {
    const { store } = platform
    const user = { id: newId(), email: 'own@kyros.test', passwordHash: 'x', role: 'operator' as const }
    await store.write({ kind: 'create_user', user: { ...user, createdMs: 1 }, actor: 'test' })
    const key = { id: newId(), userId: user.id, name: 'ci', prefix: 'p', hash: 'h', role: user.role }
    await store.write({
      kind: 'create_api_key',
      apiKey: { ...key, createdMs: 1, expiresMs: null },
      actor: 'test',
    })
    const job = { id: newId(), created_by: `key:${key.id}` }
    const caller = { id: `user:${user.id}`, userId: user.id, role: user.role, via: 'bearer' as const }
    await expect(mustOwn(store, job, caller)).resolves.toBeUndefined()
    const other = { ...caller, id: 'user:other', userId: newId() }
    await expect(mustOwn(store, job, other)).rejects.toMatchObject({ code: 'permission_denied' })
  })
})

describe('retry', () => {
  test('makes a new run of the same job with the same input', async () => {
    const first = await completed()
    const answer = await platform.send('POST', `/api/v1/jobs/${first.id}/retry`)
    expect(answer.statusCode).toBe(201)
    const retried = answer.json<Job>()
    expect(retried).toMatchObject({
      id: first.id,
      status: 'pending',
      attempt: 2,
      result: null,
      steps_total: 0,
    })
    expect(retried.run_id).not.toBe(first.run_id)
    expect(answer.headers.location).toBe(`/api/v1/jobs/${first.id}`)
    const second = await platform.awaitEnd(first.id)
    expect(second).toMatchObject({
      run_id: retried.run_id,
      attempt: 2,
      result: first.result,
      input: first.input,
    })
  })

  test('with the same key gives the first answer, also when the new run has not ended', async () => {
    const { id } = await completed()
    const headers = { 'idempotency-key': `retry-${id}` }
    const first = await platform.send('POST', `/api/v1/jobs/${id}/retry`, { headers })
    const second = await platform.send('POST', `/api/v1/jobs/${id}/retry`, { headers })
    expect(second.json()).toEqual(first.json())
  })

  test('with one key for two jobs is idempotency_key_reused', async () => {
    const headers = { 'idempotency-key': 'one-key' }
    await platform.send('POST', `/api/v1/jobs/${(await completed()).id}/retry`, { headers })
    const answer = await platform.send('POST', `/api/v1/jobs/${(await completed()).id}/retry`, { headers })
    expect(answer.json().code).toBe('idempotency_key_reused')
  })

  test('of a job that has not ended is run_not_ended', async () => {
    const { id } = await platform.submit({ title: 'waits' })
    const answer = await platform.send('POST', `/api/v1/jobs/${id}/retry`)
    expect([answer.statusCode, answer.json().code]).toEqual([409, 'run_not_ended'])
  })
})

describe('status', () => {
  test.each([
    ['in the query', '?status=cancelled', undefined],
    ['in the body', '', { status: 'cancelled' }],
  ])('cancelled %s stops the job', async (_where, query, payload) => {
    const { id } = await platform.submit({ title: 'waits' })
    const answer = await platform.send('PUT', `/api/v1/jobs/${id}/status${query}`, payload ? { payload } : {})
    expect(answer.json()).toMatchObject({ id, status: 'cancelled' })
  })

  test.each(['completed', 'running', 'pending', 'failed'])('%s cannot be set by hand', async (status) => {
    const { id } = await platform.submit({ title: 'waits' })
    const answer = await platform.send('PUT', `/api/v1/jobs/${id}/status?status=${status}`)
    expect([answer.statusCode, answer.json().code]).toEqual([409, 'job_transition_invalid'])
  })

  test('of a job that has ended stays', async () => {
    const { id } = await completed()
    const answer = await platform.send('PUT', `/api/v1/jobs/${id}/status`, {
      payload: { status: 'cancelled' },
    })
    expect(answer.json().code).toBe('job_transition_invalid')
  })

  test('must be said and known', async () => {
    const { id } = await platform.submit({ title: 'waits' })
    for (const query of ['', '?status=nonsense']) {
      const answer = await platform.send('PUT', `/api/v1/jobs/${id}/status${query}`)
      expect([answer.statusCode, answer.json().code]).toEqual([422, 'request_invalid'])
    }
  })
})

describe('delete', () => {
  test.each([
    ['has ended', completed],
    ['waits', () => platform.submit({ title: 'waits' })],
  ])('removes a job that %s, with its run', async (_state, make) => {
    const { id, run_id } = await make()
    const answer = await platform.send('DELETE', `/api/v1/jobs/${id}`)
    expect([answer.statusCode, answer.json()]).toEqual([200, { message: 'Job deleted successfully' }])
    expect((await platform.get(`/api/v1/jobs/${id}`)).statusCode).toBe(404)
    expect((await platform.get(`/api/v1/workflows/${run_id}`)).json().code).toBe('run_not_found')
    expect((await platform.get(`/api/v1/workflows/${run_id}/artifacts/report.md`)).json().code).toBe(
      'run_not_found',
    )
  })

  test('refuses a running job as job_running; force cancels it first', async () => {
    const { id } = await running()
    const refused = await platform.send('DELETE', `/api/v1/jobs/${id}`)
    expect([refused.statusCode, refused.json().code]).toEqual([409, 'job_running'])
    expect((await platform.send('DELETE', `/api/v1/jobs/${id}?force=true`)).statusCode).toBe(200)
    expect((await platform.get(`/api/v1/jobs/${id}`)).statusCode).toBe(404)
  })
})
