import { problem, problemCodes } from '@kyros/contract/problem'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts'

let platform: TestPlatform
beforeAll(async () => {
  platform = await startTestPlatform()
})
afterAll(() => platform.stop())

const publicly = (url: string, headers = {}) => platform.get(url, { as: 'nobody', headers })

async function withoutDatabase<T>(act: () => Promise<T>): Promise<T> {
  const { store } = platform
  const ping = store.ping
  store.ping = () => Promise.reject(problem('store_unavailable', { detail: 'The database is away.' }))
  try {
    return await act()
  } finally {
    store.ping = ping
  }
}

describe('probes', () => {
  test('a server that is well says so at every one of them', async () => {
    expect((await publicly('/livez')).json()).toEqual({ status: 'ok' })
    expect((await publicly('/healthz')).json()).toEqual({ status: 'ok', ok: true })
    expect((await publicly('/readyz')).json()).toEqual({ ready: true, status: 'ready' })
    expect((await publicly('/ready')).json()).toEqual({ ready: true, status: 'ready' })
    const { checks } = (await publicly('/readyz?verbose')).json()
    expect(checks).toEqual([{ name: 'orchestrator', status: 'healthy' }])
  })

  test('while the database is away the process lives and is not ready', async () => {
    await withoutDatabase(async () => {
      const healthz = await publicly('/healthz')
      expect([healthz.statusCode, healthz.json().code]).toEqual([503, 'store_unavailable'])
      expect((await publicly('/livez')).statusCode).toBe(200)
      const readyz = await publicly('/readyz?verbose')
      expect(readyz.statusCode).toBe(503)
      expect(readyz.json()).toMatchObject({
        ready: false,
        status: 'not_ready',
        checks: [{ status: 'unhealthy' }],
      })
      const health = await publicly('/health')
      expect([health.statusCode, health.json().status]).toEqual([503, 'unhealthy'])
      const check = (await platform.get('/api/v1/utils/health-check')).json()
      expect(check).toMatchObject({ status: 'unhealthy', database: 'unhealthy' })
    })
  })

  test.each(['starting', 'draining'] as const)('while it is %s it takes no work', async (phase) => {
    platform.app.edge.life.phase = phase
    const readyz = await publicly('/ready')
    platform.app.edge.life.phase = 'ready'
    expect([readyz.statusCode, readyz.json()]).toEqual([503, { ready: false, status: phase }])
    expect(readyz.headers['retry-after']).toBe('1')
  })
})

describe('health', () => {
  test('has the shape of the gateway and a status', async () => {
    expect((await publicly('/health')).json()).toMatchObject({
      status: 'healthy',
      orchestrator: 'healthy',
      overall: 'healthy',
      services: {
        orchestrator: { status: 'healthy', url: '/', details: { database: 'sqlite', engine: 'embedded' } },
      },
    })
  })

  test('an optional service that is down degrades it and keeps it ready', async () => {
    const { life } = platform.app.edge
    const before = life.services
    const down = {
      name: 'extra',
      health: () => ({ status: 'unhealthy' as const, details: {}, error: 'away', required: false }),
    }
    life.services = [...before, down]
    const health = await publicly('/health')
    const ready = (await publicly('/readyz?verbose')).json()
    life.services = before
    expect([health.statusCode, health.json().status]).toEqual([200, 'degraded'])
    expect(ready).toMatchObject({
      ready: true,
      checks: [{}, { name: 'extra', status: 'warning', detail: 'away' }],
    })
  })

  test('no upstream is known yet', async () => {
    const status = (await publicly('/health/status')).json()
    expect(status).toMatchObject({
      overall: 'healthy',
      services: {},
      monitoring: { check_interval: 30, running: false },
    })
    const writer = await publicly('/health/status/writer')
    expect([writer.statusCode, writer.json().code]).toEqual([404, 'health_service_unknown'])
    expect(writer.json().detail).toContain('"writer"')
  })
})

describe('facts', () => {
  test('a program at / learns what this is', async () => {
    const answer = await publicly('/', { accept: 'application/json' })
    expect(answer.json()).toMatchObject({
      name: 'Kyros',
      version: '1.2.3',
      services: ['orchestrator'],
      docs: '/docs',
    })
    expect(answer.headers.vary).toContain('Accept')
  })

  test('the configuration shows its five keys and nothing of the database', async () => {
    const config = (await platform.get('/v1/config')).json()
    expect(config).toEqual({
      services: {},
      agents: {},
      log: { level: 'info' },
      models: {},
      feature_flags: {},
    })
  })

  test('info and health-check have the older fields', async () => {
    const info = (await platform.get('/api/v1/utils/info')).json()
    expect(info).toMatchObject({
      service: 'orchestrator',
      version: '1.2.3',
      environment: 'test',
      api_v1_str: '/api/v1',
    })
    const check = (await platform.get('/api/v1/utils/health-check')).json()
    expect(check).toMatchObject({
      status: 'healthy',
      service: 'orchestrator',
      database: 'healthy',
      redis: 'not_configured',
    })
  })

  test('metrics are Prometheus text for admins', async () => {
    const answer = await platform.get('/metrics', { as: 'admin' })
    expect(answer.headers['content-type']).toContain('text/plain')
    expect(answer.body).toContain('kyros_build_info{version="1.2.3"')
    expect((await platform.get('/metrics')).json().code).toBe('permission_denied')
  })

  test('the stats count jobs and are at most a second old', async () => {
    const before = (await platform.get('/api/v1/stats')).json()
    await platform.submit({ title: 'counted' })
    const calls = await Promise.all(Array.from({ length: 5 }, () => platform.get('/api/v1/stats')))
    expect(calls.every((answer) => answer.body === JSON.stringify(before))).toBe(true)
    await expect
      .poll(async () => (await platform.get('/api/v1/stats')).json().as_of_seq, {
        timeout: 3_000,
        interval: 200,
      })
      .toBeGreaterThan(before.as_of_seq)
  })
})

describe('documents', () => {
  test('the OpenAPI document comes with a tag', async () => {
    const answer = await publicly('/openapi.json')
    expect(answer.json()).toMatchObject({ openapi: '3.1.0', info: { version: '1.2.3' } })
    const again = await publicly('/openapi.json', { 'if-none-match': String(answer.headers.etag) })
    expect(again.statusCode).toBe(304)
  })

  test('the reference page needs no script and its style passes its own policy', async () => {
    const answer = await publicly('/docs')
    expect(answer.headers['content-type']).toContain('text/html')
    expect(answer.headers['content-security-policy']).toMatch(/default-src 'none'; style-src 'sha256-/)
    expect(answer.body).not.toMatch(/<script|style="|onclick/)
    expect(answer.body).toContain('prefers-color-scheme:dark')
  })

  test('every link within the reference page leads somewhere', async () => {
    const { body } = await publicly('/docs')
    const ids = new Set([...body.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id))
    const links = [...body.matchAll(/ href="#([^"]+)"/g)].map(([, id]) => id)
    expect(links.length).toBeGreaterThan(20)
    expect(links.filter((link) => !ids.has(link))).toEqual([])
  })

  test.each(problemCodes)('the page of %s says what happened and what to do', async (code) => {
    const answer = await publicly(`/docs/errors/${code}`)
    expect(answer.statusCode).toBe(200)
    expect(answer.body).toContain(`<h1 id="`)
    expect(answer.body).toContain('What to do')
  })

  test.each(['nothing', '..%2f..%2fREADME', 'constructor'])('there is no page of %s', async (code) => {
    const answer = await publicly(`/docs/errors/${code}`)
    expect([answer.statusCode, answer.json().code]).toEqual([404, 'route_not_found'])
  })
})

test('switched off, the documents are not there, and the pages of the problems are', async () => {
  const bare = await startTestPlatform({ orchestrator: { docsEnabled: false } })
  try {
    expect((await bare.get('/docs', { as: 'nobody' })).json().code).toBe('route_not_found')
    expect((await bare.get('/openapi.json', { as: 'nobody' })).json().code).toBe('route_not_found')
    expect((await bare.get('/docs/errors/job_empty', { as: 'nobody' })).statusCode).toBe(200)
  } finally {
    await bare.stop()
  }
})

describe('reports of the content security policy', () => {
  const report = (payload: unknown, type: string, headers = {}) =>
    platform.send('POST', '/api/v1/security/csp-report', {
      as: 'nobody',
      payload: JSON.stringify(payload),
      headers: { 'content-type': type, ...headers },
    })
  const logged = () => platform.lines.filter(({ csp }) => csp !== undefined).map(({ csp }) => csp)

  test.each([
    [
      'the old form',
      { 'csp-report': { 'document-uri': 'http://a/', 'violated-directive': 'script-src' } },
      'application/csp-report',
    ],
    [
      'the new form',
      [{ type: 'csp-violation', body: { documentURL: 'http://a/', effectiveDirective: 'script-src' } }],
      'application/reports+json',
    ],
    [
      "the older clients' form",
      { csp_report: { document_uri: 'http://a/', effective_directive: 'script-src' } },
      'application/json',
    ],
  ])('%s is logged, also from another origin', async (_name, payload, type) => {
    platform.lines.length = 0
    const answer = await report(payload, type, {
      origin: 'http://evil.example',
      'sec-fetch-site': 'cross-site',
    })
    expect([answer.statusCode, answer.json()]).toEqual([200, { status: 'reported' }])
    expect(logged()).toEqual([{ document: 'http://a/', directive: 'script-src' }])
  })

  test('what is no report is refused, and what is too large too', async () => {
    expect((await report({ hello: 1 }, 'application/json')).json().code).toBe('request_invalid')
    expect((await report({ 'csp-report': { a: 'x'.repeat(70_000) } }, 'application/json')).json().code).toBe(
      'body_too_large',
    )
    expect((await report('a=b', 'text/plain')).json().code).toBe('media_type_unsupported')
  })

  test('a flood of them does not fill the log', async () => {
    platform.lines.length = 0
    const many = Array.from({ length: 100 }, () => ({
      type: 'csp-violation',
      body: { documentURL: 'x'.repeat(500) },
    }))
    for (let index = 0; index < 10; index++) await report(many, 'application/reports+json')
    expect(logged().length).toBeLessThanOrEqual(60)
    expect(JSON.stringify(logged()[0]).length).toBeLessThan(300)
  })
})
