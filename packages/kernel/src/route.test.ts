import { problem } from '@kyros/contract/problem'
import { routes } from '@kyros/contract/route'
import { Type } from 'typebox'
import { describe, expect, test } from 'vitest'
import { createApp } from './http-app.ts'
import { createLife } from './life.ts'
import { registerRoute } from './route.ts'
import { bearer, testApp, tokenPerRole } from './test-app.ts'

const table = routes({
  make: {
    method: 'POST',
    path: '/things',
    tag: 'T',
    summary: 's',
    permission: 'operator',
    body: Type.Object(
      {
        title: Type.String({ minLength: 1, maxLength: 255 }),
        count: Type.Optional(Type.Integer({ minimum: 1 })),
        note: Type.Optional(Type.Union([Type.String(), Type.Null()])),
        kind: Type.Optional(Type.Enum(['a', 'b'])),
        at: Type.Optional(Type.String({ format: 'date-time' })),
      },
      { additionalProperties: false },
    ),
    success: { status: 201, schema: Type.Object({ id: Type.String() }) },
    idempotent: true,
  },
  find: {
    method: 'GET',
    path: '/things/{id}',
    tag: 'T',
    summary: 's',
    permission: 'viewer',
    params: Type.Object({ id: Type.String({ maxLength: 8 }) }),
    query: Type.Object({
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
      force: Type.Optional(Type.Boolean()),
    }),
    success: { status: 200 },
  },
  cancel: {
    method: 'POST',
    path: '/things/{id}/cancel',
    tag: 'T',
    summary: 's',
    permission: 'operator',
    body: Type.Object({ reason: Type.Optional(Type.String()) }),
    success: { status: 200 },
  },
  open: {
    method: 'POST',
    path: '/open',
    tag: 'T',
    summary: 's',
    permission: 'public',
    success: { status: 200 },
  },
})

function setUp(options: Parameters<typeof testApp>[0] = {}) {
  const made = testApp(options)
  const { app } = made
  registerRoute(app, table.make, ({ body }) => ({ id: body.title }))
  registerRoute(app, table.find, ({ params, query, caller }) => ({ ...params, ...query, caller: caller.id }))
  registerRoute(app, table.cancel, ({ body }) => body)
  registerRoute(app, table.open, () => ({ ok: true }))
  return made
}

const make = (payload: unknown, headers: Record<string, string> = {}) => ({
  method: 'POST' as const,
  url: '/things',
  headers: { ...bearer('operator'), 'content-type': 'application/json', ...headers },
  payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
})

describe('permission', () => {
  test('a request without credentials is told to sign in', async () => {
    const answer = await setUp().app.inject({ url: '/things/1' })
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="kyros"')
    expect(answer.headers['content-type']).toContain('application/problem+json')
    expect(answer.json()).toMatchObject({
      code: 'credentials_missing',
      status: 401,
      type: '/docs/errors/credentials_missing',
      request_id: answer.headers['x-request-id'],
    })
  })

  test('a bearer token, an API key and the session cookie each let a caller in', async () => {
    const { app } = setUp()
    for (const headers of [
      bearer('viewer'),
      { 'x-api-key': 'viewer-token' },
      { cookie: 'kyros_session_8000=viewer-token' },
    ]) {
      const answer = await app.inject({ url: '/things/1', headers })
      expect(answer.json()).toEqual({ id: '1', limit: 50, caller: 'user:viewer' })
    }
  })

  test('a cookie that is there twice is not believed', async () => {
    const cookie = 'kyros_session_8000=viewer-token; kyros_session_8000=admin-token'
    const answer = await setUp().app.inject({ url: '/things/1', headers: { cookie } })
    expect(answer.json().code).toBe('credentials_missing')
  })

  test.each([
    ['a wrong token', 'Bearer nonsense'],
    ['another scheme', 'Basic dXNlcjpwYXNz'],
    ['two tokens', 'Bearer a b'],
    ['a huge token', `Bearer ${'a'.repeat(9000)}`],
  ])('%s is refused and logged', async (_name, authorization) => {
    const { app, lines } = setUp()
    const answer = await app.inject({ url: '/things/1', headers: { authorization } })
    expect(answer.statusCode).toBe(401)
    expect(answer.json().code).toBe('token_invalid')
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"')
    expect(JSON.stringify(lines)).not.toContain('nonsense')
  })

  test('only a token that was looked at is reported as refused', async () => {
    const verifier = async () => {
      throw problem('store_unavailable', { detail: 'Try again in a moment.' })
    }
    const down = setUp({ verifier })
    await down.app.inject({ url: '/things/1', headers: bearer('viewer') })
    expect(down.lines).not.toContainEqual(expect.objectContaining({ security_event: 'token.refused' }))
    const up = setUp()
    await up.app.inject({ url: '/things/1', headers: { 'x-api-key': 'nonsense' } })
    expect(up.lines).toContainEqual(expect.objectContaining({ security_event: 'token.refused' }))
  })

  test('a role that is too low is refused before the body is read, and the log says so', async () => {
    const { app, lines } = setUp()
    const answer = await app.inject(make('{not json', bearer('viewer')))
    expect(answer.statusCode).toBe(403)
    expect(answer.json().code).toBe('permission_denied')
    expect(lines).toContainEqual(
      expect.objectContaining({ security_event: 'permission.denied', caller: 'user:viewer' }),
    )
  })

  test('an app without a verifier lets nobody in', async () => {
    const closed = createApp()
    registerRoute(closed, table.find, () => ({}))
    expect((await closed.inject({ url: '/things/1', headers: bearer('admin') })).json().code).toBe(
      'token_invalid',
    )
  })
})

describe('requests of other sites', () => {
  const cookie = 'kyros_session_8000=operator-token'
  const post = (headers: Record<string, string>, url = '/things') => ({
    method: 'POST' as const,
    url,
    headers: { host: 'kyros.test', 'content-type': 'application/json', ...headers },
    payload: '{"title":"t"}',
  })

  test.each([
    [{ cookie, 'sec-fetch-site': 'cross-site', origin: 'https://evil.test' }],
    [{ cookie, origin: 'https://evil.test', 'x-forwarded-host': 'evil.test' }],
    [{ cookie, 'sec-fetch-site': 'same-site', origin: 'https://sibling.kyros.test' }],
    [{ cookie, origin: 'https://evil.test' }],
    [{ cookie, origin: 'null' }],
    [{ cookie, origin: 'http://kyros.test.evil' }],
    [{ cookie, origin: 'http://kyros.test:81' }],
  ])('a change with the cookie and %o is refused', async (headers) => {
    const { app, lines } = setUp()
    const answer = await app.inject(post(headers))
    expect(answer.statusCode).toBe(403)
    expect(answer.json().code).toBe('request_origin_refused')
    expect(lines).toContainEqual(expect.objectContaining({ security_event: 'origin.refused' }))
  })

  test('a public change is refused too, so that nobody is signed in by another site', async () => {
    const answer = await setUp().app.inject(post({ 'sec-fetch-site': 'cross-site' }, '/open'))
    expect(answer.json().code).toBe('request_origin_refused')
  })

  test.each([
    [{ cookie, 'sec-fetch-site': 'same-origin', origin: 'http://kyros.test' }],
    [{ cookie, origin: 'http://kyros.test' }],
    [{ cookie, origin: 'https://console.test', 'sec-fetch-site': 'cross-site' }],
    [{ cookie }],
    [{ ...bearer('operator'), origin: 'https://evil.test', 'sec-fetch-site': 'cross-site' }],
  ])('a change with %o passes', async (headers) => {
    const { app } = setUp({ allowedOrigins: ['https://console.test'] })
    expect((await app.inject(post(headers))).statusCode).toBe(201)
  })
})

describe('validation', () => {
  test('every fault of a body is named with its pointer and a sentence', async () => {
    const answer = await setUp().app.inject(
      make({ title: 'x'.repeat(256), count: '7', note: 3, kind: 'c', at: 'tomorrow', 'a/b': 1 }),
    )
    expect(answer.statusCode).toBe(422)
    expect(answer.json().code).toBe('request_invalid')
    expect(answer.json().errors).toEqual(
      expect.arrayContaining([
        { path: '/title', message: 'must be at most 255 characters' },
        { path: '/count', message: 'must be an integer' },
        { path: '/note', message: 'must be a string or null' },
        { path: '/kind', message: 'must be one of: a, b' },
        { path: '/at', message: 'must be a time such as 2026-01-31T12:00:00Z' },
        { path: '/a~1b', message: 'is not a field that is known here' },
      ]),
    )
    expect(answer.json().detail).toMatch(/^Correct .+ \(and 5 more, see errors\)\.$/)
  })

  test('a missing field and a body of the wrong kind are named', async () => {
    const { app } = setUp()
    const errors = async (payload: unknown) => (await app.inject(make(payload))).json().errors
    expect(await errors({})).toEqual([{ path: '/title', message: 'is missing' }])
    expect(await errors([])).toEqual([{ path: '', message: 'must be an object' }])
    expect(await errors({ title: '' })).toEqual([{ path: '/title', message: 'must not be empty' }])
  })

  test('a body with thousands of faults gets a short list', async () => {
    const fields = Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`f${index}`, 1]))
    const { app } = setUp()
    expect((await app.inject(make({ title: 't', ...fields }))).json().errors).toHaveLength(20)
    const large = { title: 't', filler: 'x'.repeat(100_000), ...fields }
    expect((await app.inject(make(large))).json().errors).toHaveLength(1)
  })

  test('numbers and booleans are read from the text of a query, faults are named by parameter', async () => {
    const { app } = setUp()
    const get = (query: string) => app.inject({ url: `/things/1?${query}`, headers: bearer('viewer') })
    expect((await get('limit=7&force=true')).json()).toMatchObject({ limit: 7, force: true })
    for (const query of ['limit=0', 'limit=x', 'limit=1&limit=2', 'limit=1.5', 'force=maybe']) {
      const answer = await get(query)
      expect([query, answer.statusCode, answer.json().errors[0].path]).toEqual([
        query,
        422,
        query.slice(0, 5),
      ])
    }
  })

  test('a parameter of the path is checked', async () => {
    const answer = await setUp().app.inject({ url: '/things/123456789', headers: bearer('viewer') })
    expect(answer.json().errors).toEqual([{ path: 'id', message: 'must be at most 8 characters' }])
  })

  test('a body of only optional fields may be left out', async () => {
    const { app } = setUp()
    const at = { method: 'POST' as const, url: '/things/1/cancel' }
    expect((await app.inject({ ...at, headers: bearer('operator') })).json()).toEqual({})
    const empty = { ...bearer('operator'), 'content-type': 'application/json' }
    expect((await app.inject({ ...at, headers: empty })).json()).toEqual({})
  })

  test('the same address with a slash at its end is the same route', async () => {
    expect((await setUp().app.inject({ url: '/things/1/', headers: bearer('viewer') })).statusCode).toBe(200)
  })
})

describe('bodies', () => {
  test.each([
    ['{"title": }', /Unexpected token '}'/],
    ['{"title": "t" "x": 1}', /at position 14/],
    ['{"title":"t","__proto__":{"admin":true}}', /__proto__/],
    ['{"title":"t","\\u005f_proto__":{"admin":true}}', /__proto__/],
    ['{"title":"t","count":1e400}', /too large/],
    [`{"title":"t","count":[-1${'0'.repeat(308)}e1]}`, /too large/],
    [`{"title":${'['.repeat(5000)}${']'.repeat(5000)}}`, /deeper than 100/],
  ])('%s is malformed', async (payload, detail) => {
    const answer = await setUp().app.inject(make(payload))
    expect(answer.statusCode).toBe(400)
    expect(answer.json()).toMatchObject({ code: 'request_malformed', detail: expect.stringMatching(detail) })
  })

  test.each([
    ['a path', '/things/a%00b'],
    ['a query', '/things/1?note=a%00b'],
  ])('the character U+0000 in %s is refused, which no database of text keeps', async (_where, url) => {
    const answer = await setUp().app.inject({ url, headers: bearer('viewer') })
    expect([answer.statusCode, answer.json().code]).toEqual([422, 'request_invalid'])
    expect(answer.json().errors[0].message).toBe('must not contain the character U+0000')
  })

  test('a body in another encoding is refused and not kept as question marks', async () => {
    const payload = Buffer.from('{"title":"caf\xe9"}', 'latin1')
    const answer = await setUp().app.inject({ ...make({}), payload })
    expect(answer.json()).toMatchObject({ code: 'request_malformed', detail: expect.stringMatching(/UTF-8/) })
    expect((await setUp().app.inject(make({ title: 'café' }))).json()).toEqual({ id: 'café' })
  })

  test('a body over the limit is refused', async () => {
    const answer = await setUp().app.inject(make({ title: 'x'.repeat(1024 * 1024) }))
    expect(answer.statusCode).toBe(413)
    expect(answer.json().code).toBe('body_too_large')
  })

  test.each([
    ['its own', { maxBodyBytes: 2_048 }, {}, '2,048 bytes are the limit here'],
    ['of the app', {}, { maxBodyBytes: 4_096 }, '4,096 bytes are the limit here'],
  ])('the answer names the limit that holds for the route: %s', async (_whose, route, app, expected) => {
    const made = testApp(app)
    registerRoute(made.app, table.make, ({ body }) => ({ id: body.title }), route)
    const answer = await made.app.inject(make({ title: 'x'.repeat(5_000) }))
    expect([answer.statusCode, answer.json().detail]).toEqual([413, `Send a smaller body: ${expected}.`])
  })

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml'])(
    'a body of %s is refused where JSON is asked for',
    async (mediaType) => {
      const answer = await setUp().app.inject(make('title=t', { 'content-type': mediaType }))
      expect(answer.statusCode).toBe(415)
      expect(answer.json().code).toBe('media_type_unsupported')
    },
  )
})

describe('rate limit', () => {
  test('a caller who asks too often waits, and another does not', async () => {
    const { app, clock } = setUp({ rateLimit: { calls: 2, windowMs: 60_000 } })
    const get = (role: 'viewer' | 'admin') => app.inject({ url: '/things/1', headers: bearer(role) })
    const first = await get('viewer')
    expect(first.headers['ratelimit-policy']).toBe('"default";q=2;w=60')
    expect(first.headers.ratelimit).toBe('"default";r=1;t=30')
    await get('viewer')
    const third = await get('viewer')
    expect(third.statusCode).toBe(429)
    expect(third.headers['retry-after']).toBe('30')
    expect(third.json().code).toBe('rate_limit_exceeded')
    expect((await get('admin')).statusCode).toBe(200)
    await clock.advance(30_000)
    expect((await get('viewer')).statusCode).toBe(200)
  })

  test('guessing tokens is limited by address, whatever X-Forwarded-For says', async () => {
    const { app } = setUp({ rateLimit: { calls: 3, windowMs: 60_000 } })
    const statuses: number[] = []
    for (let index = 0; index < 5; index++) {
      const headers = { authorization: `Bearer guess${index}`, 'x-forwarded-for': `10.0.0.${index}` }
      statuses.push((await app.inject({ url: '/things/1', headers })).statusCode)
    }
    expect(statuses).toEqual([401, 401, 401, 429, 429])
  })

  test('an address with too many refusals is turned away before its guess is looked at', async () => {
    let looked = 0
    const { app, clock } = setUp({
      rateLimit: { calls: 2, windowMs: 60_000 },
      verifier: (credentials) => {
        looked += 1
        return tokenPerRole(credentials)
      },
    })
    const send = async (authorization: string) =>
      (await app.inject({ url: '/things/1', headers: { authorization } })).statusCode
    expect([await send('Bearer a'), await send('Bearer b')]).toEqual([401, 401])
    // Right, but it came too late to be told apart from the guesses.
    expect(await send('Bearer viewer-token')).toBe(429)
    expect(looked).toBe(2)
    await clock.advance(30_000)
    expect(await send('Bearer viewer-token')).toBe(200)
  })
})

describe('idempotency keys', () => {
  test('a key that is no key is refused', async () => {
    const { app } = setUp()
    for (const key of ['', 'x'.repeat(256), 'a"b', 'a b']) {
      const answer = await app.inject(make({ title: 't' }, { 'idempotency-key': key }))
      expect([key, answer.statusCode, answer.json().code]).toEqual([key, 400, 'idempotency_key_invalid'])
    }
  })

  test('the second request with a key conflicts while the first is being answered', async () => {
    const { app } = testApp()
    const wait = Promise.withResolvers<{ id: string }>()
    registerRoute(app, table.make, () => wait.promise)
    const first = app.inject(make({ title: 't' }, { 'idempotency-key': '"k1"' }))
    await expect.poll(() => app.edge.inFlightKeys.size).toBe(1)
    const second = await app.inject(make({ title: 't' }, { 'idempotency-key': 'k1' }))
    expect(second.statusCode).toBe(409)
    expect(second.json().code).toBe('idempotency_key_in_flight')
    wait.resolve({ id: '1' })
    expect((await first).statusCode).toBe(201)
    expect(app.edge.inFlightKeys.size).toBe(0)
  })

  test('the fingerprint does not depend on the order of the fields', async () => {
    const { app } = testApp()
    const seen: unknown[] = []
    registerRoute(app, table.make, ({ idempotency }) => {
      seen.push(idempotency)
      return { id: '1' }
    })
    for (const body of ['{"title":"t","count":1}', '{"count":1,"title":"t"}', '{"count":2,"title":"t"}']) {
      await app.inject(make(body, { 'idempotency-key': 'k' }))
    }
    expect(seen[0]).toMatchObject({ principal: 'user:operator', route: 'POST /things', key: 'k' })
    expect(seen[1]).toEqual(seen[0])
    expect(seen[2]).not.toEqual(seen[0])
  })
})

describe('life', () => {
  test('a server that drains takes no changes, still answers reads, and closes the connection', async () => {
    const life = createLife()
    const { app } = setUp({ life })
    life.phase = 'draining'
    const change = await app.inject(make({ title: 't' }))
    expect(change.statusCode).toBe(503)
    expect(change.json().code).toBe('service_not_ready')
    expect(change.headers.connection).toBe('close')
    const read = await app.inject({ url: '/things/1', headers: bearer('viewer') })
    expect(read.statusCode).toBe(200)
  })

  test('what `before` answers needs no credentials', async () => {
    const { app } = testApp()
    registerRoute(app, table.find, () => ({}), {
      before: (request, reply) => {
        if (request.headers.accept !== 'text/html') return false
        reply.type('text/html').send('<p>page</p>')
        return true
      },
    })
    expect((await app.inject({ url: '/things/1', headers: { accept: 'text/html' } })).body).toBe(
      '<p>page</p>',
    )
    expect((await app.inject({ url: '/things/1' })).statusCode).toBe(401)
  })
})
