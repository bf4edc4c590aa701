import { afterEach, expect, test } from 'vitest'
import { ApiError } from './api-error.ts'
import { createClient } from './client.ts'
import { sendJson, startTestServer, type TestServer } from './test-server.ts'

let server: TestServer | undefined

afterEach(() => server?.close())

const id = '0190a000-0000-7000-8000-000000000001'

async function caught(promise: Promise<unknown>): Promise<ApiError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof ApiError) return error
  throw new Error('the call did not fail with an ApiError', { cause: error })
}

test('a call fills in the path, leaves out what is undefined and answers the JSON', async () => {
  server = await startTestServer((_, response) => sendJson(response, 200, { jobs: [], next_cursor: null }))
  const client = createClient({ baseUrl: server.baseUrl })
  const page = await client.call('listJobs', { query: { q: 'a b&c', status: 'failed', workflow: undefined } })
  expect(page.jobs).toEqual([])
  await client.call('getJob', { params: { id: 'a/b' } })
  expect(server.seen.map((request) => request.url)).toEqual([
    '/api/v1/jobs?q=a+b%26c&status=failed',
    '/api/v1/jobs/a%2Fb',
  ])
})

test('a problem becomes an error with its code, fields and request id', async () => {
  const body = {
    type: '/docs/errors/workflow_input_invalid',
    title: 'The input does not fit the workflow',
    status: 422,
    detail: 'Fix it.',
    code: 'workflow_input_invalid',
    request_id: 'r-1',
    errors: [{ path: '/input/repository', message: 'is missing' }],
  }
  server = await startTestServer((_, response) => sendJson(response, 422, body))
  const error = await caught(
    createClient({ baseUrl: server.baseUrl }).call('submitJob', { body: { title: 'x' } }),
  )
  expect(error).toMatchObject({
    code: 'workflow_input_invalid',
    status: 422,
    requestId: 'r-1',
    detail: 'Fix it.',
    errors: body.errors,
  })
  expect(server.seen).toHaveLength(1)
})

test('an answer that is no problem keeps its status and says what came', async () => {
  server = await startTestServer((_, response) => {
    response.writeHead(502, { 'x-request-id': 'r-2' }).end('<h1>Bad gateway</h1>')
  })
  const error = await caught(createClient({ baseUrl: server.baseUrl }).call('stats'))
  expect(error).toMatchObject({ code: 'answer_unreadable', status: 502, requestId: 'r-2' })
  expect(error.detail).toContain('Bad gateway')
})

test('a read is tried again after 503 and after a broken connection', async () => {
  server = await startTestServer((_, response, number) => {
    if (number === 1) sendJson(response, 503, { code: 'service_not_ready' }, { 'retry-after': '0' })
    else if (number === 2) response.destroy()
    else sendJson(response, 200, { status: 'ok', ok: true })
  })
  const answer = await createClient({ baseUrl: server.baseUrl }).call('healthz')
  expect(answer.ok).toBe(true)
  expect(server.seen).toHaveLength(3)
})

test('a server that asks for more patience than ten seconds is not tried again', async () => {
  server = await startTestServer((_, response) =>
    sendJson(response, 503, { code: 'service_not_ready', detail: 'later' }, { 'retry-after': '60' }),
  )
  const error = await caught(createClient({ baseUrl: server.baseUrl }).call('healthz'))
  expect(error.retryAfterSeconds).toBe(60)
  expect(server.seen).toHaveLength(1)
})

test('submitting a job repeats the same Idempotency-Key until its answer arrives', async () => {
  server = await startTestServer((_, response, number) => {
    if (number === 1) response.destroy()
    else if (number === 2) sendJson(response, 409, { code: 'idempotency_key_in_flight' })
    else sendJson(response, 201, { id })
  })
  await createClient({ baseUrl: server.baseUrl }).call('submitJob', { body: { title: 'x' } })
  const keys = new Set(server.seen.map((request) => request.headers['idempotency-key']))
  expect(server.seen).toHaveLength(3)
  expect(keys.size).toBe(1)
})

test('a POST without an Idempotency-Key is never repeated', async () => {
  server = await startTestServer((_, response) => response.destroy())
  const client = createClient({ baseUrl: server.baseUrl })
  const error = await caught(client.call('cancelRun', { params: { id }, body: {} }))
  expect(error).toMatchObject({ code: 'server_unreachable', status: 0 })
  expect(server.seen).toHaveLength(1)
})

test('a call ends when its time is over', async () => {
  server = await startTestServer(() => undefined)
  const client = createClient({ baseUrl: server.baseUrl, timeoutMs: 50 })
  expect((await caught(client.call('healthz'))).code).toBe('answer_timed_out')
})

test('an aborted call rejects with the reason of the signal', async () => {
  server = await startTestServer(() => undefined)
  const reason = new Error('navigated away')
  const controller = new AbortController()
  const call = createClient({ baseUrl: server.baseUrl }).call('healthz', { signal: controller.signal })
  controller.abort(reason)
  await expect(call).rejects.toBe(reason)
})

test('many refused calls renew the session once and then all succeed', async () => {
  let token = 'old'
  let renewals = 0
  server = await startTestServer(({ headers }, response) => {
    if (headers.authorization === 'Bearer new') sendJson(response, 200, { status: 'ok', ok: true })
    else sendJson(response, 401, { code: 'token_invalid' })
  })
  const client = createClient({
    baseUrl: server.baseUrl,
    access: {
      headers: () => ({ authorization: `Bearer ${token}` }),
      refresh: async () => {
        renewals++
        await new Promise((resolve) => setTimeout(resolve, 20))
        token = 'new'
        return true
      },
    },
  })
  await Promise.all([client.call('healthz'), client.call('healthz'), client.call('healthz')])
  expect(renewals).toBe(1)
})

test('a session that cannot be renewed fails with the 401, and a wrong password never renews', async () => {
  let renewals = 0
  server = await startTestServer((_, response) => sendJson(response, 401, { code: 'credentials_invalid' }))
  const refresh = async () => {
    renewals++
    return false
  }
  const client = createClient({ baseUrl: server.baseUrl, access: { refresh } })
  expect((await caught(client.call('currentUser'))).status).toBe(401)
  expect((await caught(client.call('login', { body: { username: 'a', password: 'b' } }))).status).toBe(401)
  expect(renewals).toBe(1)
})

test('a download answers the response with its bytes', async () => {
  server = await startTestServer((_, response) => response.end('report'))
  const client = createClient({ baseUrl: server.baseUrl })
  const response = await client.download('getArtifact', { params: { id, name: 'report.sarif' } })
  expect(await response.text()).toBe('report')
  expect(server.seen[0]?.url).toBe(`/api/v1/workflows/${id}/artifacts/report.sarif`)
})
