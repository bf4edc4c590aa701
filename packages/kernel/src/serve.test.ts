import { once } from 'node:events'
import { Agent, createServer, get, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { problem } from '@kyros/contract/problem'
import { Type } from 'typebox'
import { afterEach, describe, expect, test } from 'vitest'
import { createApp } from './http-app.ts'
import { healthOf } from './life.ts'
import type { StartError } from './listen.ts'
import { createMetrics } from './metrics.ts'
import { registerRoute } from './route.ts'
import { type ServeOptions, type Serving, serve } from './serve.ts'
import type { Service } from './service.ts'
import { streamSse } from './sse.ts'
import { recordingLog, tokenPerRole } from './test-app.ts'
import type { Verifier } from './verifier.ts'

const running: Serving[] = []
afterEach(async () => {
  for (const serving of running.splice(0)) await serving.stop('test')
})

async function start(services: Service[] = [], options: Partial<ServeOptions> = {}) {
  const { log, lines } = recordingLog()
  const app = options.app ?? createApp({ log, verifier: tokenPerRole, streams: { heartbeatMs: 20 } })
  const serving = await serve({ services, host: '127.0.0.1', port: 0, log, graceMs: 300, ...options, app })
  running.push(serving)
  return { ...serving, app, lines }
}

function service(name: string, parts: Partial<Service> = {}): Service {
  return { name, health: () => ({ status: 'healthy', details: {} }), ...parts }
}

/** Sends bytes as they are and gives what comes back until the server closes. */
async function raw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(bytes)
  let answer = ''
  for await (const chunk of socket) answer += chunk
  return answer
}

describe('start', () => {
  test('the routes of services answer and the server is ready', async () => {
    const { url, app } = await start([
      service('one', { plugin: (scope) => void scope.get('/one', () => ({ a: 1 })) }),
    ])
    expect(await (await fetch(`${url}/one`)).json()).toEqual({ a: 1 })
    expect(app.edge.life.phase).toBe('ready')
  })

  test('a taken port is named, with the way to choose another', async () => {
    const { port } = await start()
    const failure = await start([], { port }).catch((error: StartError) => error)
    expect(failure).toMatchObject({ name: 'StartError', code: 'port_taken' })
    expect(String(failure)).toMatch(new RegExp(`Port ${port} on 127.0.0.1 is taken.*--port`))
  })

  test('an address that this machine does not have is named', async () => {
    await expect(start([], { host: '192.0.2.1' })).rejects.toMatchObject({ code: 'address_unavailable' })
  })

  test('a metrics port that is taken is a warning', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const { log, lines } = recordingLog()
    const app = createApp({ log, metrics: createMetrics({ version: '1' }) })
    const { url } = await start([], { app, log, metricsPort: port })
    expect((await fetch(`${url}/x`)).status).toBe(404)
    expect(lines).toContainEqual(expect.objectContaining({ level: 'warn', port }))
    taken.close()
  })

  test('the metrics listener serves metrics and nothing else', async () => {
    const free = createServer().listen(0, '127.0.0.1')
    await once(free, 'listening')
    const { port } = free.address() as AddressInfo
    free.close()
    await once(free, 'close')
    await start([], { app: createApp({ metrics: createMetrics({ version: '9.9' }) }), metricsPort: port })
    expect(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).toContain('version="9.9"')
    expect((await fetch(`http://127.0.0.1:${port}/x`)).status).toBe(404)
  })

  test('a service that fails ends the server', async () => {
    const { ended } = await start([service('bad', { run: () => Promise.reject(new Error('broken')) })])
    await expect(ended).rejects.toThrow('broken')
    const throwing = service('worse', {
      run: () => {
        throw new Error('broken at once')
      },
    })
    await expect((await start([throwing])).ended).rejects.toThrow('broken at once')
  })
})

describe('raw handlers', () => {
  test('a service may take a request, an upgrade or an expectation before the routes', async () => {
    const { port } = await start([
      service('raw', {
        onRequest: (request, response) => {
          if (request.url !== '/raw') return false
          response.end('raw')
          return true
        },
        onUpgrade: (request, socket) => {
          if (request.url !== '/ws') return false
          socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\nhello')
          return true
        },
        onExpect: (request, response) => {
          if (request.url !== '/refuse') return false
          response.writeHead(417).end()
          return true
        },
      }),
    ])
    const head = 'Host: x\r\nConnection: close\r\n'
    expect(await raw(port, `GET /raw HTTP/1.1\r\n${head}\r\n`)).toContain('raw')
    const upgrade = 'Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
    expect(await raw(port, `GET /ws HTTP/1.1\r\n${upgrade}\r\n`)).toContain('hello')
    expect(await raw(port, `GET /other HTTP/1.1\r\n${upgrade}\r\n`)).toContain('404')
    const expecting = `${head}Expect: 100-continue\r\nContent-Length: 0\r\n`
    expect(await raw(port, `POST /refuse HTTP/1.1\r\n${expecting}\r\n`)).toContain('417')
    expect(await raw(port, `POST /x HTTP/1.1\r\n${expecting}\r\n`)).toMatch(
      /^HTTP\/1.1 100 Continue[\s\S]*404/,
    )
  })

  test.each([
    ['GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', '400'],
    ['nonsense\r\n\r\n', '400'],
    [`GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`, '431'],
  ])('broken bytes get a problem and the connection is closed (%#)', async (bytes, status) => {
    const { port } = await start()
    const answer = await raw(port, bytes)
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(answer).toContain('"code":"request_malformed"')
    expect(answer).toContain('connection: close')
  })
})

describe('hostile request lines', () => {
  test.each([
    ['OPTIONS * HTTP/1.1\r\nHost: x', 404],
    ['GET http://evil.test/x HTTP/1.1\r\nHost: x', 404],
    ['GET //evil.test/ HTTP/1.1\r\nHost: x', 404],
    ['GET /..%2f..%2fetc/passwd HTTP/1.1\r\nHost: x', 404],
    ['GET /%00 HTTP/1.1\r\nHost: x', 404],
    ['GET /\\evil HTTP/1.1\r\nHost: x', 404],
    ['GET /?a[__proto__][x]=1&constructor=2 HTTP/1.1\r\nHost: x', 404],
    ['GET /%c0%af HTTP/1.1\r\nHost: x', 400],
    ['TRACE / HTTP/1.1\r\nHost: x', 404],
    ['GET /x HTTP/1.1', 400],
    ['GET /x HTTP/1.1\r\nHost : x', 400],
    ['GET /x HTTP/1.1\r\nHost: x\r\nContent-Length: +1', 400],
    ['POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2', 400],
    ['POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked', 404],
  ])('%j is answered with %d', async (head, status) => {
    const { port, lines } = await start()
    const answer = await raw(port, `${head}\r\nConnection: close\r\n\r\n`)
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(answer.split(/HTTP\/1\.1 \d/)).toHaveLength(2)
    expect(lines.filter((line) => line.level === 'error')).toEqual([])
  })

  test('a tunnel is not opened', async () => {
    const { port } = await start()
    expect(await raw(port, 'CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n')).toBe('')
  })
})

describe('stop', () => {
  test('requests in flight are answered, services drain in reverse, runs end', async () => {
    const order: string[] = []
    const release = Promise.withResolvers<void>()
    const named = (name: string): Service =>
      service(name, {
        run: async (signal) => {
          if (!signal.aborted) await once(signal, 'abort')
          order.push(`${name} ended`)
        },
        drain: async () => void order.push(`${name} drained`),
      })
    const slow = service('slow', {
      plugin: (scope) =>
        void scope.get('/slow', async () => {
          await release.promise
          return { done: true }
        }),
    })
    const { url, stop, ended, app } = await start([named('first'), named('second'), slow])
    const answer = fetch(`${url}/slow`)
    await expect.poll(() => app.edge.life.phase).toBe('ready')
    await new Promise((resolve) => setTimeout(resolve, 50))
    const stopping = stop('SIGTERM')
    expect(app.edge.life.phase).toBe('draining')
    release.resolve()
    expect(await (await answer).json()).toEqual({ done: true })
    await stopping
    await ended
    expect(order).toEqual(['second drained', 'first drained', 'first ended', 'second ended'])
    await expect(fetch(url)).rejects.toThrow()
  })

  test('a request that hangs is cut off after the grace', async () => {
    const hang = service('hang', {
      plugin: (scope) => void scope.get('/hang', () => new Promise(() => undefined)),
    })
    const { url, stop } = await start([hang])
    const answer = fetch(`${url}/hang`).catch(() => 'cut off')
    await new Promise((resolve) => setTimeout(resolve, 50))
    await stop('test')
    expect(await answer).toBe('cut off')
  })

  test('a second call does not wait for a service that never drains', async () => {
    const stuck = service('stuck', {
      drain: () => new Promise(() => undefined),
      run: () => new Promise(() => undefined),
    })
    const { stop } = await start([stuck])
    const startedMs = performance.now()
    const first = stop('SIGTERM')
    await stop('SIGTERM')
    await first
    expect(performance.now() - startedMs).toBeLessThan(2000)
  })

  test('a service that never drains is given up in time', async () => {
    const stuck = service('stuck', { drain: () => new Promise(() => undefined) })
    const { stop, lines } = await start([stuck], { maxStopMs: 200 })
    const startedMs = performance.now()
    await stop('SIGTERM')
    expect(performance.now() - startedMs).toBeLessThan(2000)
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'stopped before everything had drained' }))
  })

  test('a client on a kept connection is told that it closes', async () => {
    const { url, stop } = await start([service('s', { plugin: (scope) => void scope.get('/x', () => ({})) })])
    const agent = new Agent({ keepAlive: true })
    const [response] = (await once(get(`${url}/x`, { agent }), 'response')) as [IncomingMessage]
    response.resume()
    await once(response, 'end')
    await stop('test')
    agent.destroy()
    await expect(fetch(`${url}/x`)).rejects.toThrow()
  })
})

describe('streams of events', () => {
  const route = {
    method: 'GET',
    path: '/stream',
    tag: 'T',
    summary: 's',
    permission: 'viewer',
    query: Type.Object({ after: Type.Optional(Type.Integer()) }),
    success: { status: 200, mediaType: 'text/event-stream' },
  } as const

  function streaming(seen: { after?: number | undefined; aborted?: boolean }): Service {
    return service('streams', {
      plugin: (scope) =>
        registerRoute(scope, route, (input) =>
          streamSse(input, async (stream) => {
            seen.after = stream.after
            await stream.send({ id: 8, event: 'job.created', data: { text: 'a\nb' } })
            if (!stream.signal.aborted) await once(stream.signal, 'abort')
            seen.aborted = true
          }),
        ),
    })
  }

  const headers = { authorization: 'Bearer viewer-token' }

  test('a reader gets numbered events and heartbeats and resumes where it says', async () => {
    const seen: { after?: number } = {}
    const { url } = await start([streaming(seen)])
    const answer = await fetch(`${url}/stream?after=3`, { headers: { ...headers, 'last-event-id': '7' } })
    expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(answer.headers.get('cache-control')).toBe('no-cache, no-transform')
    expect(answer.headers.get('x-accel-buffering')).toBe('no')
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    let text = ''
    for await (const chunk of answer.body ?? []) {
      text += Buffer.from(chunk).toString()
      if (text.includes(': \n\n')) break
    }
    expect(text).toContain('id: 8\nevent: job.created\ndata: {"text":"a\\nb"}\n\n')
    expect(seen.after).toBe(7)
  })

  test('a line break in what is sent cannot begin a field', async () => {
    const evil = service('evil', {
      plugin: (scope) =>
        registerRoute(scope, route, (input) =>
          streamSse(input, async (stream) => {
            await stream.send({ id: '1\nid: 9', event: 'a\r\ndata: b', data: 'one\nid: 9\r\n\r\nevent: two' })
          }),
        ),
    })
    const { url } = await start([evil])
    const text = await (await fetch(`${url}/stream`, { headers })).text()
    expect(text).toBe('id: 1id: 9\nevent: adata: b\ndata: one\ndata: id: 9\ndata: \ndata: event: two\n\n')
  })

  test('a reader that leaves ends its stream', async () => {
    const seen: { aborted?: boolean } = {}
    const { url, app } = await start([streaming(seen)])
    const abort = new AbortController()
    await fetch(`${url}/stream`, { headers, signal: abort.signal })
    expect(app.edge.streams.open.size).toBe(1)
    abort.abort()
    await expect.poll(() => seen.aborted).toBe(true)
    await expect.poll(() => app.edge.streams.open.size).toBe(0)
    expect(app.edge.streams.perCaller.size).toBe(0)
  })

  test('a server that drains ends streams and says when to come back', async () => {
    const { url, stop } = await start([streaming({})])
    const answer = await fetch(`${url}/stream`, { headers })
    const text = answer.text()
    await stop('test')
    expect(await text).toMatch(/retry: \d+\n\n$/)
  })

  test.each([
    ['are revoked', () => Promise.reject(problem('token_invalid', { detail: 'Signed out.' }))],
    ['are worth less', () => tokenPerRole({ kind: 'bearer', token: 'viewer-token' })],
  ] as const)('a stream whose credentials %s ends', async (_what, changed) => {
    const { log } = recordingLog()
    let verifier: Verifier = tokenPerRole
    const app = createApp({ log, verifier: (given) => verifier(given), streams: { verifyMs: 20 } })
    const { url } = await start([streaming({})], { app })
    const authorization = 'Bearer operator-token'
    const answer = await fetch(`${url}/stream`, {
      headers: { authorization },
      signal: AbortSignal.timeout(5_000),
    })
    const text = answer.text()
    verifier = () => Promise.reject(problem('store_unavailable', { detail: 'Away.' }))
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(app.edge.streams.open.size).toBe(1)
    verifier = changed
    expect(await text).toContain('id: 8')
    await expect.poll(() => app.edge.streams.open.size).toBe(0)
  })

  test('a caller may have only so many streams open', async () => {
    const { log } = recordingLog()
    const app = createApp({ log, verifier: tokenPerRole, streams: { maxPerCaller: 1 } })
    const { url } = await start([streaming({})], { app })
    await fetch(`${url}/stream`, { headers })
    const second = await fetch(`${url}/stream`, { headers })
    expect(second.status).toBe(429)
    expect(await second.json()).toMatchObject({ code: 'rate_limit_exceeded' })
  })

  test('HEAD opens no stream', async () => {
    const { url, app } = await start([streaming({})])
    const answer = await fetch(`${url}/stream`, { method: 'HEAD', headers })
    expect(answer.headers.get('content-type')).toContain('text/event-stream')
    expect(app.edge.streams.open.size).toBe(0)
  })

  test('a reader that takes nothing is cut off, and memory stays bounded', async () => {
    const { log } = recordingLog()
    const app = createApp({ log, verifier: tokenPerRole, streams: { maxStallMs: 200 } })
    let sent = 0
    const flood = service('flood', {
      plugin: (scope) =>
        registerRoute(scope, route, (input) =>
          streamSse(input, async (stream) => {
            for (; !stream.signal.aborted; sent++) await stream.send({ data: 'x'.repeat(65_536) })
          }),
        ),
    })
    const { port } = await start([flood], { app })
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.pause()
    socket.write('GET /stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer viewer-token\r\n\r\n')
    await expect.poll(() => app.edge.streams.open.size).toBe(1)
    await expect.poll(() => app.edge.streams.open.size, { timeout: 5000 }).toBe(0)
    expect(sent * 65_536).toBeLessThan(32 * 1024 * 1024)
    socket.destroy()
  })
})

describe('health', () => {
  test('a service that hangs or throws is unhealthy, the others are as they say', async () => {
    const services = [
      service('good'),
      service('hangs', { health: () => new Promise(() => undefined) }),
      service('throws', { health: () => Promise.reject(new Error('no')) }),
    ]
    const health = await healthOf({ phase: 'ready', services }, 50)
    expect(health).toMatchObject({
      good: { status: 'healthy' },
      hangs: { status: 'unhealthy', error: 'No answer within 50 ms' },
      throws: { status: 'unhealthy', error: 'no' },
    })
  })
})
