import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { fakeClock } from '@kyros/kernel/fake-clock'
import { createApp } from '@kyros/kernel/http-app'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createConsoleFiles } from './console-files.ts'
import { registerConsole } from './serve-console.ts'

const html = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
const script = 'console.log("x")'

let directory: string
let app: FastifyInstance
const clock = fakeClock()
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kyros-console-'))
  await mkdir(join(directory, 'dist/assets'), { recursive: true })
  await writeFile(join(directory, 'secret.js'), 'secret')
  await writeFile(join(directory, 'dist/index.html'), '<!doctype html><title>Kyros</title>')
  await writeFile(join(directory, 'dist/favicon.svg'), '<svg/>')
  await writeFile(join(directory, 'dist/assets/app-1234.js'), script)
  await writeFile(join(directory, 'dist/assets/app-1234.js.br'), brotliCompressSync(script))
  await writeFile(join(directory, 'dist/assets/app-1234.js.gz'), gzipSync(script))
  await writeFile(join(directory, 'dist/assets/app-1234.js.map.unknown'), 'x')
  app = createApp({ rateLimit: false, clock })
  registerConsole(app, createConsoleFiles(join(directory, 'dist'), clock))
  app.post('/api/v1/only-post', () => ({}))
  await app.ready()
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const get = (url: string, headers: Record<string, string> = {}) => app.inject({ url, headers })

describe('pages', () => {
  test.each(['/agents', '/jobs/42', '/runs', '/runs/1/report?tab=x', '/login', '/new', '/terminal/'])(
    'a browser at %s gets the console, which is asked for anew each time',
    async (url) => {
      const answer = await get(url, html)
      expect([answer.statusCode, answer.body]).toEqual([200, '<!doctype html><title>Kyros</title>'])
      expect(answer.headers['cache-control']).toBe('no-cache')
      expect(answer.headers['content-security-policy']).toContain("script-src 'self'")
      const again = await get(url, { ...html, 'if-none-match': String(answer.headers.etag) })
      expect(again.statusCode).toBe(304)
    },
  )

  test('a program at the same address learns that there is nothing', async () => {
    const answer = await get('/agents', { accept: 'application/json' })
    expect([answer.statusCode, answer.json().code]).toEqual([404, 'route_not_found'])
  })

  test('a browser that is lost gets a page, at an address of the API a problem', async () => {
    const lost = await get('/nowhere', html)
    expect(lost.statusCode).toBe(404)
    expect(lost.headers['content-type']).toContain('text/html')
    expect((await get('/api/v1/nowhere', html)).json().code).toBe('route_not_found')
    expect((await get('/api/v1/only-post')).json().code).toBe('method_not_allowed')
  })
})

describe('files', () => {
  test('with a hash in their name are kept for ever', async () => {
    const answer = await get('/assets/app-1234.js')
    expect(answer.body).toBe(script)
    expect(answer.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
      vary: 'Accept-Encoding',
    })
    expect((await get('/favicon.svg')).headers['cache-control']).toBe('no-cache')
  })

  test.each([
    ['br, gzip', 'br'],
    ['gzip, deflate', 'gzip'],
    ['br;q=0, gzip;q=0.5', 'gzip'],
    ['', undefined],
  ])('come in the best form that "%s" can read', async (accepted, encoding) => {
    const answer = await get('/assets/app-1234.js', { 'accept-encoding': accepted })
    expect(answer.headers['content-encoding']).toBe(encoding)
  })

  test.each([
    '/../secret.js',
    '/assets/../../secret.js',
    '/assets/..%2f..%2fsecret.js',
    '/assets/%2e%2e/%2e%2e/secret.js',
    '/assets/app-1234.js.br',
    '/assets/app-1234.js.map.unknown',
    '/assets/',
    '/assets/constructor',
  ])('outside the build or of no known type are not there: %s', async (url) => {
    const answer = await get(url)
    expect(answer.statusCode).toBe(404)
    expect(answer.body).not.toContain('secret\n')
  })
})

test('a file of a newer build is found after a second', async () => {
  expect((await get('/assets/new-5678.js')).statusCode).toBe(404)
  await writeFile(join(directory, 'dist/assets/new-5678.js'), 'new')
  await clock.advance(1_001)
  expect((await get('/assets/new-5678.js')).body).toBe('new')
})

test('without a build the page says how to make one', async () => {
  const bare = createApp({ rateLimit: false })
  registerConsole(bare, createConsoleFiles(join(directory, 'nothing'), clock))
  const answer = await bare.inject({ url: '/runs', headers: html })
  expect(answer.statusCode).toBe(503)
  expect(answer.body).toContain('npm run prestart')
})
