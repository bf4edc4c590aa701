import { describe, expect, test } from 'vitest'
import { password, testAuth } from './test-auth.ts'

describe('refreshing', () => {
  test('a refresh token gives new tokens of the same session', async () => {
    const { signIn, post, get, clock } = await testAuth()
    const first = await signIn('operator')
    await clock.advance(31 * 60_000)
    expect((await get('/auth/user', first.access_token)).json().code).toBe('token_invalid')
    const answer = await post('/auth/refresh', { refresh_token: first.refresh_token })
    expect(answer.statusCode).toBe(200)
    const next = answer.json()
    expect(next.refresh_token).not.toBe(first.refresh_token)
    expect((await get('/auth/sessions', next.access_token)).json().sessions).toHaveLength(1)
  })

  test('two tabs that refresh at once both go on', async () => {
    const { signIn, post, get, clock } = await testAuth()
    const { refresh_token } = await signIn('viewer')
    const both = await Promise.all([
      post('/auth/refresh', { refresh_token }),
      post('/auth/refresh', { refresh_token }),
    ])
    await clock.advance(29_000)
    const late = await post('/auth/refresh', { refresh_token })
    for (const answer of [...both, late]) {
      expect(answer.statusCode).toBe(200)
      expect((await get('/auth/user', answer.json().access_token)).statusCode).toBe(200)
    }
  })

  test('a used token that comes back after the grace ends the session for everybody', async () => {
    const { signIn, post, get, clock, store } = await testAuth()
    const first = await signIn('viewer')
    const second = (await post('/auth/refresh', { refresh_token: first.refresh_token })).json()
    expect((await get('/auth/user', second.access_token)).statusCode).toBe(200)
    await clock.advance(31_000)
    const stolen = await post('/auth/refresh', { refresh_token: first.refresh_token })
    expect([stolen.statusCode, stolen.json().code]).toEqual([401, 'refresh_token_invalid'])
    expect((await get('/auth/user', second.access_token)).json().code).toBe('token_invalid')
    const honest = await post('/auth/refresh', { refresh_token: second.refresh_token })
    expect(honest.json().code).toBe('refresh_token_invalid')
    expect((await store.events.list({ type: 'session.reused' })).items).toHaveLength(1)
  })

  test.each([undefined, 'nonsense', `kyros_rt_${'a'.repeat(43)}.abc`, 'x'.repeat(1024)])(
    '%j is no refresh token',
    async (refresh_token) => {
      const { post } = await testAuth()
      const answer = await post('/auth/refresh', { ...(refresh_token && { refresh_token }) })
      expect([answer.statusCode, answer.json().code]).toEqual([401, 'refresh_token_invalid'])
    },
  )

  test('the end of a session that a token carries cannot be moved', async () => {
    const { signIn, post } = await testAuth()
    const { refresh_token } = await signIn('viewer')
    const moved = refresh_token.replace(/\.\w+$/, `.${(9e12).toString(36)}`)
    expect((await post('/auth/refresh', { refresh_token: moved })).json().code).toBe('refresh_token_invalid')
  })

  test('a session ends after ninety days, however often it is refreshed', async () => {
    const dayMs = 24 * 3600 * 1000
    const { signIn, post, clock } = await testAuth()
    let { refresh_token } = await signIn('viewer')
    for (let day = 0; day < 80; day += 20) {
      await clock.advance(20 * dayMs)
      const answer = await post('/auth/refresh', { refresh_token })
      expect(answer.statusCode).toBe(200)
      refresh_token = answer.json().refresh_token
    }
    await clock.advance(11 * dayMs)
    expect((await post('/auth/refresh', { refresh_token })).statusCode).toBe(401)
  })

  test('an access token is no refresh token and a refresh token opens nothing', async () => {
    const { signIn, post, get } = await testAuth()
    const tokens = await signIn('viewer')
    expect((await post('/auth/refresh', { refresh_token: tokens.access_token })).statusCode).toBe(401)
    expect((await get('/auth/user', tokens.refresh_token)).json().code).toBe('token_invalid')
  })
})

describe('in a browser', () => {
  const headers = { host: 'kyros.test', origin: 'http://kyros.test' }

  test('the cookie refreshes, and a dead one is taken away', async () => {
    const { app, login, user, clock } = await testAuth()
    await user('viewer')
    const answer = await login('viewer@kyros.test', password, headers)
    const [, refresh = ''] = [answer.headers['set-cookie'] ?? []].flat()
    const [cookie = ''] = refresh.split(';')
    const again = () => app.inject({ method: 'POST', url: '/auth/refresh', headers: { ...headers, cookie } })
    const fresh = await again()
    expect(fresh.statusCode).toBe(200)
    expect([fresh.headers['set-cookie']].flat()).toHaveLength(2)
    await clock.advance(60_000)
    const dead = await again()
    expect(dead.statusCode).toBe(401)
    expect([dead.headers['set-cookie']].flat()).toEqual([
      expect.stringMatching(/^kyros_session_8000=; Path=\/; Max-Age=0/),
      expect.stringMatching(/^kyros_refresh_8000=; Path=\/auth; Max-Age=0/),
    ])
  })

  test('another site cannot refresh with the cookie', async () => {
    const { app } = await testAuth()
    const answer = await app.inject({
      method: 'POST',
      url: '/auth/refresh',
      headers: { cookie: 'kyros_refresh_8000=x', 'sec-fetch-site': 'cross-site' },
    })
    expect(answer.json().code).toBe('request_origin_refused')
  })
})

describe('signing out', () => {
  test('ends the session at once, with a bearer token or the cookie', async () => {
    const { app, login, user, post, get } = await testAuth()
    await user('viewer')
    const headers = { host: 'kyros.test', origin: 'http://kyros.test' }
    const answer = await login('viewer@kyros.test', password, headers)
    const { access_token, refresh_token } = answer.json()
    const other = (await login('viewer@kyros.test')).json()
    const cookie = `kyros_session_8000=${access_token}`
    expect((await get('/auth/user', access_token)).statusCode).toBe(200)
    const out = await app.inject({ method: 'POST', url: '/auth/logout', headers: { ...headers, cookie } })
    expect(out.json()).toEqual({ message: 'Signed out.', token_revoked: true })
    expect([out.headers['set-cookie']].flat()[0]).toContain('Max-Age=0')
    expect((await get('/auth/user', access_token)).json().code).toBe('token_invalid')
    expect((await post('/auth/refresh', { refresh_token })).json().code).toBe('refresh_token_invalid')
    expect((await get('/auth/user', other.access_token)).statusCode).toBe(200)
    const second = await post('/auth/logout', { refresh_token: other.refresh_token }, other.access_token)
    expect(second.json().token_revoked).toBe(true)
    expect(second.headers['set-cookie']).toBeUndefined()
  })

  test('needs somebody to sign out', async () => {
    const { post } = await testAuth()
    expect((await post('/auth/logout', {})).json().code).toBe('credentials_missing')
  })
})
