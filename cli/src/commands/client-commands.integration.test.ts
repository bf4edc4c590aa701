import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { kyros, spawnKyros, temporaryDirectory } from '../testing/spawn-kyros.ts'

async function startServer() {
  const data = temporaryDirectory()
  const config = temporaryDirectory()
  const server = spawnKyros(['up', '--port', '0', '--no-welcome', '--data', data])
  const url = await server.ready()
  const [, password = ''] = await server.saw(/admin@localhost with password (\S+)/)
  const env = { XDG_CONFIG_HOME: config }
  const call = (words: readonly string[], more: { env?: Record<string, string>; input?: string } = {}) =>
    kyros([...words, '--data', data], { ...more, env: { ...env, ...more.env } })
  return { data, url, password, config, call }
}

describe('commands against a local server', () => {
  test('jobs, events and users work without signing in, on the machine of the server', async () => {
    const { call } = await startServer()
    const submitted = await call(['jobs', 'submit', 'Test Job', '--json'])
    expect(submitted.code).toBe(0)
    const job = JSON.parse(submitted.output)
    expect(job).toMatchObject({ title: 'Test Job', status: 'pending' })
    const listed = await call(['jobs', 'list'])
    expect(listed.output).toContain(job.id)
    expect(JSON.parse((await call(['jobs', 'get', job.id, '--json'])).output).id).toBe(job.id)
    expect((await call(['runs', 'why', job.run_id])).output).toContain('agent_missing')
    expect((await call(['jobs', 'cancel', job.id])).code).toBe(0)
    const events = await call(['runs', 'events', job.run_id, '--json'])
    const types = events.output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).type)
    expect(types).toContain('run.created')
    expect((await call(['jobs', 'delete', job.id])).code).toBe(0)
    expect((await call(['events', 'emit', 'build.finished', '--payload', '{"ok":true}'])).code).toBe(0)
    const emitted = await call(['events', 'list', '--type', 'build.finished', '--json'])
    expect(JSON.parse(emitted.output).events).toHaveLength(1)
    const added = await call(['user', 'add', 'ada@example.com', '--role', 'viewer'], {
      input: 'a long password\n',
    })
    expect(added.output).toContain('ada@example.com is added as viewer')
    expect((await call(['user', 'list'])).output).toContain('ada@example.com')
  }, 60_000)

  test('login keeps tokens for one server, and --forget drops them', async () => {
    const { call, url, password, config, data } = await startServer()
    const elsewhere = ['--url', url, '--data', join(data, 'none')]
    const signedIn = await call(['login', 'admin@localhost'], { input: `${password}\n` })
    expect(signedIn.code).toBe(0)
    expect(existsSync(join(config, 'kyros', 'logins.json'))).toBe(true)
    const remote = { env: { XDG_CONFIG_HOME: config } }
    expect((await kyros(['user', 'list', ...elsewhere], remote)).code).toBe(0)
    expect((await call(['login', '--forget'])).code).toBe(0)
    expect((await kyros(['user', 'list', ...elsewhere], remote)).code).toBe(4)
  }, 60_000)

  test('every way to fail has its exit code and two lines', async () => {
    const { call, url } = await startServer()
    const unknown = '0190a7b2-0000-7000-8000-000000000000'
    expect((await call(['jobs', 'get', unknown])).code).toBe(3)
    expect((await call(['run', 'no_such_workflow'])).code).toBe(2)
    expect((await call(['user', 'list'], { env: { KYROS_TOKEN: 'wrong' } })).code).toBe(4)
    expect((await call(['login', 'admin@localhost'], { input: 'wrong\n' })).code).toBe(4)
    expect((await call(['jobs', 'list', '--limit', 'x'])).code).toBe(2)
    expect((await call(['run', 'code_analysis', '--input', '{'])).code).toBe(2)
    const far = await kyros(['jobs', 'list', '--url', 'http://127.0.0.1:1', '--json'])
    expect(far.code).toBe(5)
    expect(JSON.parse(far.output).error.code).toBe('server_unreachable')
    const nowhere = await kyros(['jobs', 'list', '--data', temporaryDirectory()])
    expect(nowhere).toMatchObject({
      code: 5,
      lines: [expect.stringContaining('No Kyros server'), expect.any(String)],
    })
    expect(url).toBeTruthy()
  }, 60_000)
})

describe('commands that need no server', () => {
  test.each(['bash', 'zsh', 'fish'])('completion for %s names every command', async (shell) => {
    const { code, output } = await kyros(['completion', shell])
    expect(code).toBe(0)
    for (const word of ['doctor', 'jobs', 'retry', '--follow'.slice(shell === 'fish' ? 2 : 0)]) {
      expect(output).toContain(word)
    }
  })
  test('config hides secrets and says where each value came from', async () => {
    const env = { SECRET_KEY: 'hunter2-hunter2', DATABASE_URL: 'postgres://me:hunter2@host/db' }
    const { code, output } = await kyros(['config', '--json'], { cwd: temporaryDirectory(), env })
    expect(code).toBe(0)
    expect(output).not.toContain('hunter2')
    expect(JSON.parse(output).settings).toContainEqual({
      key: 'database.url',
      value: 'postgres://me:********@host/db',
      origin: 'environment DATABASE_URL',
    })
  })
  test('doctor ends with 0 on a machine that can run Kyros, and with 1 where it cannot', async () => {
    const words = ['doctor', '--json', '--data', temporaryDirectory()]
    const env = { KYROS_SERVER_PORT: '0' }
    const well = await kyros(words, { cwd: temporaryDirectory(), env })
    expect(JSON.parse(well.output)).toMatchObject({ ok: true })
    expect(well.code).toBe(0)
    const ill = await kyros(words, {
      cwd: temporaryDirectory(),
      env: { ...env, DATABASE_URL: 'postgres://127.0.0.1:1/x' },
    })
    expect(ill.code).toBe(1)
    const { checks } = JSON.parse(ill.output)
    expect(checks).toContainEqual(expect.objectContaining({ name: 'database', status: 'fault' }))
  })
  test('doctor finds a database that is damaged', async () => {
    const data = temporaryDirectory()
    writeFileSync(join(data, 'kyros.db'), 'x'.repeat(5_000))
    const { code, output } = await kyros(['doctor', '--data', data], { env: { KYROS_SERVER_PORT: '0' } })
    expect(code).toBe(1)
    expect(output).toMatch(/BAD {2}database .* is damaged\.\n.*→ Restore a backup/)
  })
  test('doctor without --json names the command that mends a fault', async () => {
    const env = { KYROS_SERVER_PORT: '0', KYROS_ENV: 'production' }
    const { code, output } = await kyros(['doctor'], { cwd: temporaryDirectory(), env })
    expect(code).toBe(1)
    expect(output).toContain('→ Make one with: node -e')
  })
})
