import { createServer, type RequestListener } from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import { kyros, spawnKyros, temporaryDirectory } from '../testing/spawn-kyros.ts'

describe('kyros serve', () => {
  test('an orchestrator alone needs PostgreSQL and names DATABASE_URL', async () => {
    const { code, lines } = await kyros(['serve', 'orchestrator', '--data', temporaryDirectory()])
    expect(code).toBe(1)
    expect(lines).toEqual([expect.stringContaining('PostgreSQL'), expect.stringContaining('DATABASE_URL')])
  })
  test('a worker says that the embedded engine runs steps itself', async () => {
    const { code, lines } = await kyros(['serve', 'worker'])
    expect(code).toBe(1)
    expect(lines[0]).toContain('runs steps in its own process')
  })
  test.each(['gateway', 'nonsense'])('%s is wrong usage', async (name) => {
    expect((await kyros(['serve', name])).code).toBe(2)
  })
})

describe('kyros serve console', () => {
  async function startConsole(target: string) {
    const env = { KYROS_SERVICES_ORCHESTRATOR_URL: target }
    const server = spawnKyros(['serve', 'console', '--port', '0'], { env })
    const [, url = ''] = await server.saw(/^Kyros console is ready on (\S+)$/m)
    return { server, url }
  }

  test('passes calls on with their host, and streams the answer', async () => {
    const data = temporaryDirectory()
    const target = await spawnKyros(['up', '--port', '0', '--no-welcome', '--data', data]).ready()
    const { server, url } = await startConsole(target)
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok', ok: true })
    const headers = { 'content-type': 'application/json', origin: url }
    const body = JSON.stringify({ username: 'nobody@localhost', password: 'x' })
    // Not 403: the origin is the console's own.
    expect((await fetch(`${url}/auth/login`, { method: 'POST', headers, body })).status).toBe(401)
    server.child.kill('SIGTERM')
    expect(await server.exited).toBe(0)
  })

  async function upstream(answer: RequestListener) {
    const server = createServer(answer)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    const address = server.address()
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  }

  test('says whose browser it is, after whatever the browser says itself', async () => {
    const target = await upstream((request, response) => response.end(request.headers['x-forwarded-for']))
    const { url, server } = await startConsole(target)
    const answer = await fetch(url, { headers: { 'x-forwarded-for': '192.0.2.7' } })
    expect(await answer.text()).toBe('192.0.2.7, 127.0.0.1')
    await server.saw(/server\.trusted_proxies/)
  })

  test('an answer that breaks off upstream breaks off here too, and the next one comes', async () => {
    const target = await upstream((request, response) => {
      if (request.url === '/whole') return void response.end('whole')
      response.writeHead(200, { 'content-length': '1000' })
      response.write('half', () => response.destroy())
    })
    const { url } = await startConsole(target)
    const half = await fetch(url, { signal: AbortSignal.timeout(10_000) })
    const failure = await half.text().catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(TypeError)
    expect(await (await fetch(`${url}/whole`)).text()).toBe('whole')
  })

  test('answers a problem while the orchestrator is away', async () => {
    const free = createServer()
    await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve))
    const address = free.address()
    await new Promise((resolve) => free.close(resolve))
    const { url } = await startConsole(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`)
    const answer = await fetch(`${url}/healthz`)
    expect(answer.status).toBe(503)
    expect(await answer.json()).toMatchObject({ code: 'service_not_ready' })
  })
})
