import { describe, expect, test } from 'vitest'
import { password, testAuth } from './test-auth.ts'

const browser = { origin: 'http://localhost:80', 'sec-fetch-site': 'same-origin' }

describe('signing in', () => {
  test('JSON and a form both give tokens', async () => {
    const { app, user, login, get } = await testAuth()
    await user('operator')
    const answer = await login('operator@kyros.test')
    expect(answer.statusCode).toBe(200)
    expect(answer.json()).toEqual({
      access_token: expect.any(String),
      token_type: 'bearer',
      expires_in: 1800,
      refresh_token: expect.stringMatching(/^kyros_rt_/),
    })
    expect(answer.headers['cache-control']).toBe('no-store')
    const form = await app.inject({
      method: 'POST',
      url: '/auth/login',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({ username: ' Operator@KYROS.test ', password }).toString(),
    })
    expect((await get('/auth/user', form.json().access_token)).json()).toEqual({
      id: expect.any(String),
      email: 'operator@kyros.test',
      username: 'operator@kyros.test',
      role: 'operator',
      active: true,
      created_at: expect.any(String),
    })
  })

  test('a wrong password and an unknown user get the same answer', async () => {
    const { user, login, lines, store } = await testAuth()
    const { id } = await user('viewer')
    const wrong = await login('viewer@kyros.test', 'not the password')
    const unknown = await login('nobody@kyros.test')
    for (const answer of [wrong, unknown]) {
      expect(answer.statusCode).toBe(401)
      expect(answer.headers['set-cookie']).toBeUndefined()
    }
    expect({ ...wrong.json(), request_id: '' }).toEqual({ ...unknown.json(), request_id: '' })
    expect(wrong.json().code).toBe('credentials_invalid')
    const { items } = await store.events.list({ type: 'login.failed' })
    expect(items.map((event) => event.subject).sort()).toEqual(['users', `users/${id}`])
    expect(JSON.stringify([items, lines])).not.toMatch(/not the password|nobody@/)
    expect(lines).toContainEqual(expect.objectContaining({ security_event: 'login.failed', user: id }))
  })

  test.each([
    {},
    { username: 'a' },
    { username: '', password: 'x' },
    { username: 'a', password: 'x'.repeat(1025) },
  ])('%o is invalid', async (payload) => {
    const { post } = await testAuth()
    const answer = await post('/auth/login', payload)
    expect([answer.statusCode, answer.json().code]).toEqual([422, 'request_invalid'])
  })

  test('a session is in the log and in the list of sessions', async () => {
    const { login, user, get, store } = await testAuth()
    await user('viewer')
    const agent = `Evil\u0007${'x'.repeat(500)}`
    const tokens = (await login('viewer@kyros.test', password, { 'user-agent': agent })).json()
    const { items } = await store.events.list({ type: 'session.created' })
    expect(items).toHaveLength(1)
    const { sessions } = (await get('/auth/sessions', tokens.access_token)).json()
    expect(sessions).toEqual([expect.objectContaining({ address: '127.0.0.1', current: true })])
    expect(sessions[0].client).toMatch(/^Evil·x{195}$/)
  })
})

describe('cookies', () => {
  test('a program gets none, a browser gets two that scripts cannot read', async () => {
    const { login, user, app } = await testAuth()
    await user('viewer')
    expect((await login('viewer@kyros.test')).headers['set-cookie']).toBeUndefined()
    const answer = await login('viewer@kyros.test', password, browser)
    const [session = '', refresh = ''] = [answer.headers['set-cookie'] ?? []].flat()
    expect(session).toMatch(/^kyros_session_8000=[^;]+; Path=\/; Max-Age=1800; HttpOnly; SameSite=Lax$/)
    expect(refresh).toMatch(
      /^kyros_refresh_8000=[^;]+; Path=\/auth; Max-Age=2592000; HttpOnly; SameSite=Lax$/,
    )
    const [cookie = ''] = session.split(';')
    expect((await app.inject({ url: '/auth/user', headers: { cookie } })).statusCode).toBe(200)
    const crossSite = { cookie, origin: 'https://evil.test', 'sec-fetch-site': 'cross-site' }
    const forged = await app.inject({ method: 'POST', url: '/auth/logout', headers: crossSite })
    expect([forged.statusCode, forged.json().code]).toEqual([403, 'request_origin_refused'])
  })

  test('over https they are bound to the host and to https', async () => {
    const { login, user } = await testAuth({ isSecure: true })
    await user('viewer')
    const answer = await login('viewer@kyros.test', password, browser)
    const [session, refresh] = [answer.headers['set-cookie'] ?? []].flat()
    expect(session).toMatch(/^__Host-kyros_session=[^;]+; Path=\/; .*; Secure$/)
    expect(refresh).toMatch(/^__Secure-kyros_refresh=.*; Secure$/)
  })

  test('a page of another site cannot sign anybody in', async () => {
    const { login, user } = await testAuth()
    await user('viewer')
    const answer = await login('viewer@kyros.test', password, { 'sec-fetch-site': 'cross-site' })
    expect(answer.json().code).toBe('request_origin_refused')
  })
})

describe('guessing', () => {
  const minuteMs = 60_000

  test('an account is closed to guesses for a while, known or not, and the log says it once', async () => {
    const loginLimits = {
      perAccount: { calls: 3, windowMs: 3 * minuteMs },
      perAddress: { calls: 100, windowMs: minuteMs },
    }
    const { user, login, clock, store, lines } = await testAuth({ loginLimits })
    await user('viewer')
    for (const email of ['viewer@kyros.test', 'nobody@kyros.test']) {
      const statuses: number[] = []
      for (let index = 0; index < 5; index++) statuses.push((await login(email, 'wrong')).statusCode)
      expect(statuses).toEqual([401, 401, 401, 429, 429])
    }
    const right = await login('viewer@kyros.test')
    expect([right.statusCode, right.headers['retry-after'], right.json().code]).toEqual([
      429,
      '60',
      'rate_limit_exceeded',
    ])
    expect((await store.events.list({ type: 'login.throttled' })).items).toHaveLength(2)
    expect(lines.filter((line) => line.security_event === 'login.throttled')).toHaveLength(2)
    await clock.advance(minuteMs)
    expect((await login('viewer@kyros.test')).statusCode).toBe(200)
  })

  test('an address that tries many accounts is closed', async () => {
    const loginLimits = {
      perAccount: { calls: 100, windowMs: minuteMs },
      perAddress: { calls: 2, windowMs: minuteMs },
    }
    const { login } = await testAuth({ loginLimits })
    const statuses: number[] = []
    for (let index = 0; index < 3; index++) statuses.push((await login(`u${index}@kyros.test`)).statusCode)
    expect(statuses).toEqual([401, 401, 429])
  })

  test('who knows the password may sign in as often as he likes', async () => {
    const loginLimits = {
      perAccount: { calls: 1, windowMs: minuteMs },
      perAddress: { calls: 1, windowMs: minuteMs },
    }
    const { user, login } = await testAuth({ loginLimits })
    await user('viewer')
    for (let index = 0; index < 3; index++) expect((await login('viewer@kyros.test')).statusCode).toBe(200)
  })

  test('a storm of guesses at once gets no further than one after the other', async () => {
    const loginLimits = {
      perAccount: { calls: 5, windowMs: minuteMs },
      perAddress: { calls: 100, windowMs: minuteMs },
    }
    const { user, login } = await testAuth({ loginLimits })
    await user('viewer')
    const answers = await Promise.all(Array.from({ length: 40 }, () => login('viewer@kyros.test', 'wrong')))
    expect(answers.filter((answer) => answer.statusCode === 401)).toHaveLength(5)
  })
})
