import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { api } from '@kyros/contract/api'
import { isProblemCode, problem } from '@kyros/contract/problem'
import { commonProblems, type Route } from '@kyros/contract/route'
import { systemClock } from '@kyros/kernel/clock'
import { silentLog } from '@kyros/kernel/log'
import { createNewId } from '@kyros/kernel/new-id'
import { openStore } from '@kyros/store/open-store'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAuth } from './auth/create-auth.ts'
import { startTestPlatform, type TestPlatform } from './testing/test-platform.ts'

const operations: [string, Route][] = Object.entries(api)
const id = '0190a000-0000-7000-8000-000000000001'

let platform: TestPlatform
beforeAll(async () => {
  const store = await openStore({ dataDir: ':memory:' })
  const newId = createNewId(systemClock)
  const secretKey = 'a test key that is long enough to be one'
  const auth = createAuth({ store, secretKey, clock: systemClock, newId, log: silentLog })
  platform = await startTestPlatform({ orchestrator: { authRoutes: auth.registerRoutes } })
})
afterAll(() => platform.stop())

const fastifyPath = (path: string) => path.replaceAll(/\{(\w+)\}/g, ':$1')
const example = (path: string) => path.replaceAll(/\{id\}/g, id).replaceAll(/\{\w+\}/g, 'x')
const asMethod = (route: Route) => route.method

describe('the contract and the server', () => {
  test('every operation has a route, and every route is an operation', () => {
    const said = operations.map(([, route]) => `${route.method} ${fastifyPath(route.path)}`)
    const made = platform.routes.filter((route) => !route.startsWith('HEAD ') && route !== 'GET /*')
    expect(made.toSorted()).toEqual(said.toSorted())
  })

  test('the served document has every operation', async () => {
    const { paths } = (await platform.get('/openapi.json')).json()
    for (const [operationId, route] of operations) {
      expect(paths[route.path][route.method.toLowerCase()].operationId).toBe(operationId)
    }
  })

  test.each(operations.filter(([, route]) => route.permission !== 'public'))(
    '%s refuses who gives no credentials, and who gives wrong ones',
    async (_id, route) => {
      const url = example(route.path)
      const none = await platform.send(asMethod(route), url, { as: 'nobody' })
      expect([none.statusCode, none.json().code]).toEqual([401, 'credentials_missing'])
      const headers = { authorization: 'Bearer nonsense' }
      const wrong = await platform.send(asMethod(route), url, { as: 'nobody', headers })
      expect([wrong.statusCode, wrong.json().code]).toEqual([401, 'token_invalid'])
    },
  )

  test.each(
    operations.filter(([, route]) => route.permission === 'operator' || route.permission === 'admin'),
  )('%s refuses a viewer', async (_id, route) => {
    const answer = await platform.send(asMethod(route), example(route.path), { as: 'viewer' })
    expect([answer.statusCode, answer.json().code]).toEqual([403, 'permission_denied'])
  })

  test.each(operations.filter(([, route]) => asMethod(route) === 'GET' && !route.stream))(
    '%s answers at its address with a slash at the end too',
    async (_id, route) => {
      const [plain, slashed] = await Promise.all(
        ['', '/'].map((end) =>
          platform.get(`${example(route.path)}${route.path === '/' ? '' : end}`, { as: 'admin' }),
        ),
      )
      expect(slashed?.statusCode).toBe(plain?.statusCode)
    },
  )

  test('every code that an operation declares is a code, and some test expects it', () => {
    const tests = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.test.ts'))
      .map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'))
    const codes = [...operations.flatMap(([, route]) => route.problems ?? []), ...commonProblems]
    expect(codes.filter((code) => !isProblemCode(code))).toEqual([])
    const isExpected = (code: string) => tests.some((text) => text.includes(`'${code}'`))
    expect([...new Set(codes)].filter((code) => !isExpected(code))).toEqual([])
  })
})

describe('when the platform itself fails', () => {
  const submit = () => platform.send('POST', '/api/v1/jobs', { payload: { title: 'a' } })

  test.each([
    [problem('storage_full', { detail: 'Free some space.' }), 507, 'storage_full'],
    [problem('store_unavailable', { detail: 'Try again soon.' }), 503, 'store_unavailable'],
    [problem('temporal_unavailable', { detail: 'Try again soon.' }), 503, 'temporal_unavailable'],
    [problem('temporal_namespace_missing', { detail: 'Create it.' }), 503, 'temporal_namespace_missing'],
    [problem('temporal_refused', { detail: 'Mend temporal.tls.ca.' }), 503, 'temporal_refused'],
    [new Error('secret internals at /srv/x.ts:1'), 500, 'internal_error'],
  ])('%s reaches the caller as a problem without internals', async (failure, status, code) => {
    const { store } = platform
    const write = store.write
    store.write = () => Promise.reject(failure)
    const answer = await submit()
    store.write = write
    expect([answer.statusCode, answer.json().code]).toEqual([status, code])
    expect(answer.body).not.toContain('secret')
    expect((await submit()).statusCode).toBe(201)
  })

  test('while it drains it takes no more work', async () => {
    platform.app.edge.life.phase = 'draining'
    const answer = await submit()
    platform.app.edge.life.phase = 'ready'
    expect([answer.statusCode, answer.json().code]).toEqual([503, 'service_not_ready'])
  })

  test('a page of another site cannot act with the cookie of a user', async () => {
    const headers = {
      cookie: 'kyros=operator',
      origin: 'http://evil.example',
      'sec-fetch-site': 'cross-site',
    }
    const answer = await platform.send('POST', '/api/v1/jobs', {
      as: 'nobody',
      payload: { title: 'a' },
      headers,
    })
    expect([answer.statusCode, answer.json().code]).toEqual([403, 'request_origin_refused'])
  })
})

const bodies = operations.filter(([, { method, body, tag }]) => method !== 'GET' && body && tag !== 'Auth')

describe('hostile bodies', () => {
  const sendRaw = (route: Route, payload: string | Buffer, type = 'application/json') =>
    platform.send(asMethod(route), example(route.path), {
      as: route.permission === 'admin' ? 'admin' : 'operator',
      payload,
      headers: { 'content-type': type },
    })

  const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`

  test.each(bodies)('%s bounds them and answers with a problem', async (operationId, route) => {
    const large = await sendRaw(route, `{"title":"${'x'.repeat(10 * 1024 * 1024)}"}`)
    expect([large.statusCode, large.json().code]).toEqual([413, 'body_too_large'])
    for (const text of ['{"title":', 'nonsense', '{"a":1}{"b":2}', '{"__proto__":{"x":1}}', deep(50_000)]) {
      const answer = await sendRaw(route, text)
      // What is too large for a route with a lower limit is refused before it is read.
      const expected = text.length > 65_536 && operationId === 'reportCsp' ? 413 : 400
      expect(answer.statusCode, text.slice(0, 20)).toBe(expected)
      expect(answer.headers['content-type']).toContain('application/problem+json')
    }
    const other = await sendRaw(route, '<title>x</title>', 'application/xml')
    expect([other.statusCode, other.json().code]).toEqual([415, 'media_type_unsupported'])
  })

  // These carry any JSON; an empty list is a list of reports.
  const open = new Set([
    'signalRun',
    'queryRun',
    'updateRun',
    'answerWaitpoint',
    'completeWaitpoint',
    'reportCsp',
  ])
  const typed = bodies.filter(([name]) => !open.has(name))
  test.each(typed)('%s refuses JSON of another shape', async (_id, route) => {
    for (const text of ['[]', '"text"', '1', 'true', 'null']) {
      const answer = await sendRaw(route, text)
      expect([400, 422], `${text}: ${answer.body}`).toContain(answer.statusCode)
    }
  })

  test('bytes that are not UTF-8 are refused', async () => {
    const answer = await sendRaw(
      api.submitJob,
      Buffer.from([...Buffer.from('{"title":"a'), 0xff, 0xfe, ...Buffer.from('"}')]),
    )
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'request_malformed'])
  })

  test('half a character becomes a whole one, in the answer and in what is kept', async () => {
    const answer = await sendRaw(api.submitJob, '{"title":"a\\ud800","task":"b\\udc00c"}')
    expect(answer.json()).toMatchObject({ title: 'a\ufffd', task: 'b\ufffdc' })
    const kept = (await platform.get(`/api/v1/jobs/${answer.json().id}`)).json()
    expect(kept).toMatchObject({ title: 'a\ufffd', task: 'b\ufffdc' })
  })

  test('nesting that is allowed comes back as it was', async () => {
    const input = JSON.parse(deep(90))
    const { id: jobId } = await platform.submit({ title: 'deep', input })
    expect((await platform.get(`/api/v1/jobs/${jobId}`)).json().input).toEqual(input)
  })

  test('names that JavaScript knows are fields like any other', async () => {
    const metadata = { constructor: 1, toString: 'x', hasOwnProperty: null }
    const { id: jobId } = await platform.submit({ title: 'names', metadata })
    expect((await platform.get(`/api/v1/jobs/${jobId}`)).json().metadata).toEqual(metadata)
  })
})
