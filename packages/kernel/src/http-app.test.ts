import { problem } from '@kyros/contract/problem'
import { describe, expect, test } from 'vitest'
import { createMetrics } from './metrics.ts'
import { testApp } from './test-app.ts'

function setUp(options: Parameters<typeof testApp>[0] = {}) {
  const made = testApp(options)
  made.app.get('/ok', () => ({ ok: true }))
  made.app.get('/items/:id', () => ({ ok: true }))
  made.app.delete('/items/:id', () => ({ ok: true }))
  made.app.get('/bug', () => {
    throw new Error('secret internals')
  })
  made.app.get('/full', () => {
    throw problem('storage_full', { detail: 'Free some space.', cause: new Error('ENOSPC') })
  })
  return made
}

describe('request ids and traces', () => {
  test('an id that can do no harm is taken over', async () => {
    const answer = await setUp().app.inject({ url: '/ok', headers: { 'x-request-id': 'abc_DEF-12345' } })
    expect(answer.headers['x-request-id']).toBe('abc_DEF-12345')
  })

  test.each([
    'short',
    'with space in it',
    'a'.repeat(65),
    'evil\u001b[31mid',
    'a,b,c,d,e,f',
    'line%0d%0aset-cookie:x',
  ])('the id %j is replaced', async (given) => {
    const { app, lines } = setUp()
    const answer = await app.inject({ url: '/ok', headers: { 'x-request-id': given } })
    expect(answer.headers['x-request-id']).toMatch(/^[\w-]{8,64}$/)
    expect(answer.headers['x-request-id']).not.toBe(given)
    expect(lines[0]).toMatchObject({ request_id: answer.headers['x-request-id'] })
  })

  test('a valid traceparent is echoed, another is dropped', async () => {
    const { app } = setUp()
    const echo = async (traceparent: string) =>
      (await app.inject({ url: '/ok', headers: { traceparent } })).headers.traceparent
    const valid = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    expect(await echo(valid)).toBe(valid)
    expect(await echo('00-00000000000000000000000000000000-00f067aa0ba902b7-01')).toBeUndefined()
    expect(await echo('00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01')).toBeUndefined()
    expect(await echo('nonsense')).toBeUndefined()
  })
})

describe('addresses', () => {
  test('an unknown one is not found', async () => {
    const answer = await setUp().app.inject({ url: '/nothing' })
    expect(answer.statusCode).toBe(404)
    expect(answer.json().code).toBe('route_not_found')
  })

  test('a known one with another method says which it takes', async () => {
    const answer = await setUp().app.inject({ method: 'POST', url: '/items/7/?x=1' })
    expect(answer.statusCode).toBe(405)
    expect(answer.json().code).toBe('method_not_allowed')
    expect(answer.headers.allow).toBe('DELETE, GET, HEAD')
    const options = await setUp().app.inject({ method: 'OPTIONS', url: '/items/7' })
    expect([options.statusCode, options.headers.allow]).toEqual([204, 'DELETE, GET, HEAD'])
  })

  test('asking for many unknown ones is limited', async () => {
    const { app } = setUp({ rateLimit: { calls: 1, windowMs: 1000 } })
    await app.inject({ url: '/nothing' })
    expect((await app.inject({ url: '/nothing' })).json().code).toBe('rate_limit_exceeded')
  })

  test.each(['/items/%ff', '/items/%', `/items/${'a'.repeat(2000)}`, `/ok?${'a'.repeat(9000)}`])(
    'a wrong one is malformed (%#)',
    async (url) => {
      const answer = await setUp().app.inject({ url })
      expect([answer.statusCode, answer.json().code]).toEqual([400, 'request_malformed'])
      expect(answer.headers['x-content-type-options']).toBe('nosniff')
    },
  )

  test('HEAD answers like GET without a body', async () => {
    const answer = await setUp().app.inject({ method: 'HEAD', url: '/ok' })
    expect([answer.statusCode, answer.body]).toEqual([200, ''])
  })
})

describe('errors', () => {
  test('a bug is an internal error whose stack only the log sees', async () => {
    const { app, lines } = setUp()
    const answer = await app.inject({ url: '/bug' })
    expect(answer.statusCode).toBe(500)
    expect(answer.json()).toMatchObject({
      code: 'internal_error',
      request_id: answer.headers['x-request-id'],
    })
    expect(answer.body).not.toContain('secret internals')
    expect(lines.find((line) => line.msg === 'request failed')).toMatchObject({
      request_id: answer.headers['x-request-id'],
      err: { message: 'secret internals' },
    })
  })

  test('the cause of a problem reaches the log and not the caller', async () => {
    const { app, lines } = setUp()
    const answer = await app.inject({ url: '/full' })
    expect([answer.statusCode, answer.json().code]).toEqual([507, 'storage_full'])
    expect(answer.body).not.toContain('ENOSPC')
    expect(JSON.stringify(lines)).toContain('ENOSPC')
  })
})

describe('headers', () => {
  test('the answer to a change says only what concerns an answer that is never a page', async () => {
    const { headers } = await setUp().app.inject({ method: 'POST', url: '/nothing' })
    expect(headers['content-security-policy']).toBe("default-src 'none'; frame-ancestors 'none'")
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['cache-control']).toBe('no-store')
    expect(headers['permissions-policy']).toBeUndefined()
  })

  test('every answer says how a browser has to treat it', async () => {
    const { app } = setUp()
    for (const url of ['/ok', '/nothing', '/bug']) {
      const { headers } = await app.inject({ url })
      expect(headers['content-security-policy']).toContain("frame-ancestors 'none'")
      expect(headers['content-security-policy']).toContain("script-src 'self';")
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(headers['referrer-policy']).toBe('no-referrer')
      expect(headers['cross-origin-opener-policy']).toBe('same-origin')
      expect(headers['permissions-policy']).toContain('camera=()')
      expect(headers['cache-control']).toBe('no-store')
      expect(headers['strict-transport-security']).toBeUndefined()
    }
  })

  test('only an allowed origin may read answers from a page', async () => {
    const { app } = setUp({ allowedOrigins: ['https://console.test'] })
    const from = (origin: string) => app.inject({ url: '/ok', headers: { origin } })
    expect((await from('https://console.test')).headers).toMatchObject({
      'access-control-allow-origin': 'https://console.test',
      'access-control-allow-credentials': 'true',
      vary: 'Origin',
    })
    for (const origin of [
      'https://console.test.evil',
      'http://console.test',
      'null',
      'https://CONSOLE.test',
    ]) {
      expect((await from(origin)).headers['access-control-allow-origin']).toBeUndefined()
    }
  })

  test('a preflight of an allowed origin is answered and may be kept', async () => {
    const { app } = setUp({ allowedOrigins: ['https://console.test'] })
    const preflight = (origin: string) =>
      app.inject({
        method: 'OPTIONS',
        url: '/items/1',
        headers: { origin, 'access-control-request-method': 'DELETE' },
      })
    const answer = await preflight('https://console.test')
    expect(answer.statusCode).toBe(204)
    expect(answer.headers['access-control-max-age']).toBe('600')
    expect(answer.headers['access-control-allow-methods']).toContain('DELETE')
    expect((await preflight('https://evil.test')).headers['access-control-allow-methods']).toBeUndefined()
  })
})

describe('log and metrics', () => {
  test('one line per request names the route and not the address', async () => {
    const { app, lines } = setUp()
    await app.inject({ url: '/items/secret-id?token=abc' })
    expect(lines).toEqual([
      expect.objectContaining({ level: 'info', msg: 'request', route: '/items/:id', status: 200 }),
    ])
    expect(JSON.stringify(lines)).not.toMatch(/secret-id|abc/)
  })

  test('requests are counted by route, method and status', async () => {
    const metrics = createMetrics({ version: '1.2.3' })
    const { app } = setUp({ metrics })
    await app.inject({ url: '/items/1' })
    await app.inject({ url: '/items/2' })
    await app.inject({ url: '/no/such/address' })
    const text = await metrics.text()
    expect(text).toContain('kyros_http_requests_total{route="/items/:id",method="GET",status="200"} 2')
    expect(text).toContain(
      'orchestrator_api_requests_total{method="GET",endpoint="/items/:id",status="200"} 2',
    )
    expect(text).toContain('kyros_http_requests_total{route="unknown",method="GET",status="404"} 1')
    expect(text).toContain('kyros_build_info{version="1.2.3"')
    expect(text).not.toContain('/no/such')
  })

  test('runs are counted under the names of the documents', async () => {
    const metrics = createMetrics({ version: '1' })
    metrics.runStarted('code_analysis')
    metrics.runStarted('code_analysis')
    metrics.runEnded('code_analysis', 'completed', 3)
    const text = await metrics.text()
    expect(text).toContain('orchestrator_workflows_active{workflow="code_analysis"} 1')
    expect(text).toContain('orchestrator_workflows_total{workflow="code_analysis",status="completed"} 1')
    expect(text).toContain('orchestrator_workflows_duration_seconds_sum{workflow="code_analysis"} 3')
  })
})
