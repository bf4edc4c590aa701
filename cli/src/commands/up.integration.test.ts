import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { kyros, spawnKyros, spawnNpmStart, temporaryDirectory } from '../testing/spawn-kyros.ts'

const quiet = ['--port', '0', '--no-welcome'] as const

describe('kyros up', () => {
  test('says where it is ready, on a line of its own, and answers there', async () => {
    const data = temporaryDirectory()
    const server = spawnKyros(['up', ...quiet, '--data', data])
    const url = await server.ready()
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok', ok: true })
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
  })

  test('prints the generated password once and signs in with it', async () => {
    const data = temporaryDirectory()
    const first = spawnKyros(['up', ...quiet, '--data', data])
    const url = await first.ready()
    const [, password = ''] = await first.saw(/admin@localhost with password (\S+)/)
    const answer = await fetch(`${url}/auth/login`, {
      method: 'POST',
      body: new URLSearchParams({ username: 'admin@localhost', password }),
    })
    expect(answer.status).toBe(200)
    first.child.kill('SIGTERM')
    await first.exited
    const second = spawnKyros(['up', ...quiet, '--data', data])
    await second.saw(/Try /)
    expect(second.output()).not.toContain(password)
  })

  test('KYROS_ADMIN_EMAIL and KYROS_ADMIN_PASSWORD make the first admin', async () => {
    const env = { KYROS_ADMIN_EMAIL: 'ada@example.com', KYROS_ADMIN_PASSWORD: 'correct horse battery' }
    const server = spawnKyros(['up', ...quiet, '--data', temporaryDirectory()], { env })
    const url = await server.ready()
    const body = JSON.stringify({ username: env.KYROS_ADMIN_EMAIL, password: env.KYROS_ADMIN_PASSWORD })
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${url}/auth/login`, { method: 'POST', headers, body })
    expect(answer.status).toBe(200)
    expect(server.output()).not.toContain(env.KYROS_ADMIN_PASSWORD)
  })

  test('keeps its secrets for the owner alone and takes the address away at the end', async () => {
    const data = temporaryDirectory()
    const server = spawnKyros(['up', ...quiet, '--data', data])
    await server.ready()
    const mode = (name: string) => statSync(join(data, name)).mode & 0o777
    await server.saw(/Try /)
    expect(['server.json', 'secret_key', 'cli-token'].map(mode)).toEqual([0o600, 0o600, 0o600])
    server.child.kill('SIGTERM')
    expect(await server.exited).toBe(0)
    expect(existsSync(join(data, 'server.json'))).toBe(false)
  })

  test('a second start on the same data directory says so and ends with 1', async () => {
    const data = temporaryDirectory()
    await spawnKyros(['up', ...quiet, '--data', data]).ready()
    const second = await kyros(['up', ...quiet, '--data', data])
    expect(second.code).toBe(1)
    expect(second.lines).toHaveLength(2)
    expect(second.lines[0]).toContain(`uses the data directory ${data}`)
  })

  test('with its data in memory it leaves nothing behind', async () => {
    const server = spawnKyros(['up', ...quiet, '--data', ':memory:'])
    await server.ready()
    server.child.kill('SIGTERM')
    expect(await server.exited).toBe(0)
    expect(existsSync(':memory:')).toBe(false)
  })

  test('warns when others on the network can read what is sent', async () => {
    const server = spawnKyros(['up', ...quiet, '--host', '0.0.0.0', '--data', temporaryDirectory()])
    await server.ready()
    expect(server.errors()).toContain('without TLS')
  })
})

describe('signals', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s drains and ends with 0', async (signal) => {
    const server = spawnKyros(['up', ...quiet, '--data', temporaryDirectory()])
    await server.ready()
    server.child.kill(signal)
    expect(await server.exited).toBe(0)
    expect(server.errors()).toContain('stopped')
  })

  test('SIGTERM before it is ready ends the start with 0 and leaves nothing locked', async () => {
    const data = temporaryDirectory()
    const server = spawnKyros(['up', ...quiet, '--data', data])
    // The first thing that a start leaves behind: from here on it has begun and is not ready yet.
    await expect.poll(() => existsSync(join(data, 'secret_key')), { interval: 2, timeout: 20_000 }).toBe(true)
    expect(server.output()).toBe('')
    server.child.kill('SIGTERM')
    expect(await server.exited).toBe(0)
    expect(existsSync(join(data, 'server.json'))).toBe(false)
    const next = spawnKyros(['up', ...quiet, '--data', data])
    await next.ready()
    if (!server.output().includes('with password')) await next.saw(/with password \S+/)
  })

  test('SIGTERM to npm reaches the server, and both end with 0 within 10 s', {
    timeout: 60_000,
  }, async () => {
    const data = temporaryDirectory()
    const npm = spawnNpmStart([...quiet, '--data', data])
    await npm.ready()
    await npm.saw(/Try /)
    const { pid } = JSON.parse(readFileSync(join(data, 'server.json'), 'utf8'))
    const beganMs = Date.now()
    npm.child.kill('SIGTERM')
    expect(await npm.exited).toBe(0)
    expect(Date.now() - beganMs).toBeLessThan(10_000)
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })
})

describe('a start that cannot be', () => {
  async function fails(words: readonly string[], cwd = temporaryDirectory(), env = {}) {
    const result = await kyros(['up', '--no-welcome', ...words], { cwd, env })
    expect(result.code).toBe(1)
    expect(result.lines).toHaveLength(2)
    expect(result.lines.join('\n')).not.toMatch(/\n\s+at /)
    return result.lines[0] ?? ''
  }

  test('a taken port', async () => {
    const holder = createServer()
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
    const address = holder.address()
    const port = typeof address === 'object' ? String(address?.port) : ''
    expect(await fails(['--port', port])).toBe(`Port ${port} on 127.0.0.1 is taken by another program.`)
    holder.close()
  })

  test('a data directory that is a file', async () => {
    const file = join(temporaryDirectory(), 'data')
    writeFileSync(file, '')
    expect(await fails(['--port', '0', '--data', file])).toContain('cannot be')
  })

  test('a database that does not answer', async () => {
    const url = 'postgres://kyros:hunter2@127.0.0.1:1/kyros'
    const what = await fails(['--port', '0', '--database-url', url])
    expect(what).toContain('127.0.0.1:1')
    expect(what).not.toContain('hunter2')
  })

  test('an unknown key in kyros.yaml', async () => {
    const cwd = temporaryDirectory()
    writeFileSync(join(cwd, 'kyros.yaml'), 'server:\n  prot: 80\n')
    expect(await fails(['--port', '0'], cwd)).toBe(
      'kyros.yaml:2: there is no setting server.prot. Did you mean server.port?',
    )
  })

  test('a wrong type in the environment', async () => {
    const what = await fails([], temporaryDirectory(), { KYROS_SERVER_PORT: 'eighty' })
    expect(what).toBe('environment: KYROS_SERVER_PORT is not right: "eighty".')
  })

  test('production without a secret of its own', async () => {
    const cwd = temporaryDirectory()
    mkdirSync(join(cwd, 'data'))
    expect(await fails(['--port', '0', '--data', 'data'], cwd, { KYROS_ENV: 'production' })).toBe(
      'Production needs a SECRET_KEY of its own.',
    )
  })
})
