import { describe, expect, test } from 'vitest'
import { ensureFirstAdmin } from './ensure-first-admin.ts'
import { bearer, password, testAuth } from './test-auth.ts'

describe('users', () => {
  test('an admin adds and lists them, without hashes', async () => {
    const { signIn, post, get, login } = await testAuth()
    const admin = await signIn('admin')
    const answer = await post(
      '/auth/users',
      { email: 'New@Kyros.test', password, role: 'viewer' },
      admin.access_token,
    )
    expect(answer.statusCode).toBe(201)
    expect(answer.json()).toMatchObject({
      email: 'new@kyros.test',
      username: 'new@kyros.test',
      role: 'viewer',
    })
    const { users } = (await get('/auth/users', admin.access_token)).json()
    expect(users).toHaveLength(2)
    expect(users).toContainEqual(answer.json())
    expect(JSON.stringify([users, answer.json()])).not.toMatch(/hash|argon2/)
    expect((await login('new@kyros.test')).statusCode).toBe(200)
  })

  test('an address is taken in every spelling', async () => {
    const { signIn, post } = await testAuth()
    const { access_token } = await signIn('admin')
    const again = await post(
      '/auth/users',
      { email: 'ADMIN@kyros.test', password, role: 'viewer' },
      access_token,
    )
    expect([again.statusCode, again.json().code]).toEqual([409, 'user_exists'])
  })

  test('nobody but an admin may', async () => {
    const { signIn, post, get } = await testAuth()
    for (const role of ['viewer', 'operator'] as const) {
      const { access_token } = await signIn(role)
      expect((await get('/auth/users', access_token)).json().code).toBe('permission_denied')
      const added = await post('/auth/users', { email: 'x@y', password, role: 'admin' }, access_token)
      expect([added.statusCode, added.json().code]).toEqual([403, 'permission_denied'])
    }
  })

  test.each([
    [{ email: 'no address', password, role: 'viewer' }],
    [{ email: 'a@b', password: 'short', role: 'viewer' }],
    [{ email: 'a@b', password, role: 'root' }],
    [{ email: 'a@b', password, role: 'viewer', active: false }],
  ])('%o is invalid', async (user) => {
    const { signIn, post } = await testAuth()
    const { access_token } = await signIn('admin')
    expect((await post('/auth/users', user, access_token)).json().code).toBe('request_invalid')
  })
})

describe('API keys', () => {
  async function withKey(body: object = {}) {
    const made = await testAuth()
    const { access_token } = await made.signIn('operator')
    const answer = await made.post('/auth/api-keys', { name: 'ci', ...body }, access_token)
    return { ...made, access_token, answer }
  }

  test('a key lets its holder in, as X-API-Key and as Bearer, and is shown once', async () => {
    const { app, get, answer, access_token, store } = await withKey()
    expect(answer.statusCode).toBe(201)
    const { key, api_key } = answer.json()
    expect(key).toMatch(/^kyros_[\w-]{43}$/)
    expect(api_key).toMatchObject({
      name: 'ci',
      prefix: key.slice(0, 12),
      role: 'operator',
      expires_at: null,
    })
    for (const headers of [{ 'x-api-key': key }, bearer(key)]) {
      const user = await app.inject({ url: '/auth/user', headers })
      expect(user.json().email).toBe('operator@kyros.test')
    }
    const { api_keys } = (await get('/auth/api-keys', access_token)).json()
    expect(api_keys).toHaveLength(1)
    expect(JSON.stringify(api_keys)).not.toContain(key)
    expect(JSON.stringify((await store.events.list({})).items)).not.toContain(key)
  })

  test('a cookie holds no key', async () => {
    const { app, answer } = await withKey()
    const cookie = `kyros_session_8000=${answer.json().key}`
    expect((await app.inject({ url: '/auth/user', headers: { cookie } })).json().code).toBe('token_invalid')
  })

  test('nobody gives more than he has', async () => {
    const { answer } = await withKey({ role: 'admin' })
    expect([answer.statusCode, answer.json().code]).toEqual([403, 'permission_denied'])
  })

  test('a key makes, lists and revokes no keys, so that a leaked one ends with its revocation', async () => {
    const { app, get, post, answer, access_token } = await withKey()
    const { key, api_key } = answer.json()
    const revoked = app.inject({
      method: 'DELETE',
      url: `/auth/api-keys/${api_key.id}`,
      headers: bearer(key),
    })
    const asKey = app.inject({ url: '/auth/api-keys', headers: { 'x-api-key': key } })
    const made = post('/auth/api-keys', { name: 'more' }, key)
    for (const refused of await Promise.all([made, get('/auth/api-keys', key), asKey, revoked])) {
      expect([refused.statusCode, refused.json().code]).toEqual([403, 'permission_denied'])
      expect(refused.json().detail).toContain('Sign in with your password')
    }
    expect((await get('/auth/api-keys', access_token)).json().api_keys).toHaveLength(1)
  })

  test('a key works until it expires, and must expire in the future', async () => {
    const past = await withKey({ expires_at: '2020-01-01T00:00:00Z' })
    expect(past.answer.json()).toMatchObject({ code: 'request_invalid', errors: [{ path: '/expires_at' }] })
    const { clock, get, post, access_token } = past
    const expires_at = new Date(clock.nowMs() + 60_000).toISOString()
    const { key } = (await post('/auth/api-keys', { name: 'short', expires_at }, access_token)).json()
    expect((await get('/auth/user', key)).statusCode).toBe(200)
    await clock.advance(60_000)
    expect((await get('/auth/user', key)).json().code).toBe('token_invalid')
  })

  test('its use is noted at most once a minute', async () => {
    const { get, clock, access_token, answer } = await withKey()
    const { key } = answer.json()
    const lastUsed = async () => (await get('/auth/api-keys', access_token)).json().api_keys[0].last_used_at
    expect(await lastUsed()).toBeNull()
    await get('/auth/user', key)
    const first = new Date(clock.nowMs()).toISOString()
    await expect.poll(lastUsed).toBe(first)
    await clock.advance(30_000)
    await get('/auth/user', key)
    expect(await lastUsed()).toBe(first)
    await clock.advance(30_000)
    await get('/auth/user', key)
    await expect.poll(lastUsed).toBe(new Date(clock.nowMs()).toISOString())
  })

  test('a revoked key is dead at once, and only its owner or an admin revokes it', async () => {
    const { app, get, answer, access_token, signIn } = await withKey()
    const { key, api_key } = answer.json()
    expect((await get('/auth/user', key)).statusCode).toBe(200)
    const revoke = (token: string) =>
      app.inject({ method: 'DELETE', url: `/auth/api-keys/${api_key.id}`, headers: bearer(token) })
    const stranger = await signIn('viewer')
    const refused = await revoke(stranger.access_token)
    expect([refused.statusCode, refused.json().code]).toEqual([404, 'api_key_not_found'])
    expect((await revoke(access_token)).json()).toEqual({ message: 'The API key is revoked.' })
    expect((await get('/auth/user', key)).json().code).toBe('token_invalid')
    expect((await revoke(access_token)).json().code).toBe('api_key_not_found')
  })

  test('a key has no session to end', async () => {
    const { post, answer } = await withKey()
    expect((await post('/auth/logout', {}, answer.json().key)).json().token_revoked).toBe(false)
  })
})

describe('sessions', () => {
  test('a user sees and ends his own', async () => {
    const { app, signIn, get } = await testAuth()
    const first = await signIn('viewer')
    const second = await signIn('viewer')
    const { sessions } = (await get('/auth/sessions', second.access_token)).json()
    expect(sessions).toHaveLength(2)
    const other = sessions.find((session: { current: boolean }) => !session.current)
    const revoke = (token: string) =>
      app.inject({ method: 'DELETE', url: `/auth/sessions/${other.id}`, headers: bearer(token) })
    const stranger = await signIn('operator')
    const refused = await revoke(stranger.access_token)
    expect([refused.statusCode, refused.json().code]).toEqual([404, 'session_not_found'])
    expect((await revoke(second.access_token)).statusCode).toBe(200)
    expect((await get('/auth/user', first.access_token)).statusCode).toBe(401)
    expect((await get('/auth/user', second.access_token)).statusCode).toBe(200)
  })

  test('an admin ends anybody’s', async () => {
    const { app, signIn, get } = await testAuth()
    const { access_token } = await signIn('viewer')
    const [session] = (await get('/auth/sessions', access_token)).json().sessions
    const admin = await signIn('admin')
    const url = `/auth/sessions/${session.id}`
    const answer = await app.inject({ method: 'DELETE', url, headers: bearer(admin.access_token) })
    expect(answer.statusCode).toBe(200)
    expect((await get('/auth/user', access_token)).statusCode).toBe(401)
  })
})

describe('a revocation in another process', () => {
  test('counts here within a second', async () => {
    const { signIn, get, store, clock } = await testAuth()
    const { access_token } = await signIn('viewer')
    const [session] = (await get('/auth/sessions', access_token)).json().sessions
    await store.write({
      kind: 'revoke_session',
      sessionId: session.id,
      actor: 'elsewhere',
      timeMs: clock.nowMs(),
    })
    await clock.advance(1000)
    expect((await get('/auth/user', access_token)).json().code).toBe('token_invalid')
  })
})

describe('a database that does not answer', () => {
  test('lets nobody in, not even who was let in before', async () => {
    const { signIn, get, store, clock } = await testAuth()
    const { access_token } = await signIn('viewer')
    expect((await get('/auth/user', access_token)).statusCode).toBe(200)
    await store.close()
    await clock.advance(1000)
    const answer = await get('/auth/user', access_token)
    expect([answer.statusCode, answer.json().code]).toEqual([503, 'store_unavailable'])
  })
})

describe('the first admin', () => {
  test('is made once, with a password that is printed once', async () => {
    const { store, newId, clock, login } = await testAuth()
    const first = await ensureFirstAdmin({ store, newId, clock })
    expect(first).toEqual({
      created: true,
      email: 'admin@localhost',
      password: expect.stringMatching(/^.{20,}$/),
    })
    expect((await login('admin@localhost', first.password)).statusCode).toBe(200)
    expect(await ensureFirstAdmin({ store, newId, clock })).toEqual({
      created: false,
      email: 'admin@localhost',
    })
  })

  test('has the address and password that are given, which are not printed', async () => {
    const { store, newId, clock, login, get } = await testAuth()
    const both = await Promise.all(
      [1, 2].map(() => ensureFirstAdmin({ store, newId, clock, email: 'Me@Kyros.test', password })),
    )
    expect(both.filter((result) => result.created)).toEqual([{ created: true, email: 'me@kyros.test' }])
    const { access_token } = (await login('me@kyros.test')).json()
    expect((await get('/auth/user', access_token)).json().role).toBe('admin')
  })
})
