import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { kyros, spawnKyros, temporaryDirectory } from '../testing/spawn-kyros.ts'

const timeout = 60_000

async function startWithJob(data: string) {
  const server = spawnKyros(['up', '--port', '0', '--no-welcome', '--data', data])
  await server.ready()
  const job = await kyros(['jobs', 'submit', 'Keep me', '--json', '--data', data])
  return { server, jobId: String(JSON.parse(job.output).id) }
}

describe('kyros db', { timeout }, () => {
  test('migrate, status and rollback move the schema and say what they did', async () => {
    const data = temporaryDirectory()
    const db = (verb: string, ...more: string[]) => kyros(['db', verb, ...more, '--data', data])
    const appliedAt = async () =>
      JSON.parse((await db('status', '--json')).output).migrations.at(-1).applied_at
    expect(await appliedAt()).toBeNull()
    expect((await db('migrate')).output).toMatch(/^Applied 0001-/)
    expect(await appliedAt()).toMatch(/^\d{4}-/)
    expect((await db('migrate')).output).toBe('There is nothing to do.\n')
    expect((await db('rollback')).code).toBe(2)
    expect((await db('rollback', '--yes')).output).toMatch(/^Took back /)
    expect(await appliedAt()).toBeNull()
  })

  test('a backup of a running server is restored into an empty directory', async () => {
    const data = temporaryDirectory()
    const { server, jobId } = await startWithJob(data)
    const directory = join(temporaryDirectory(), 'backup')
    expect((await kyros(['db', 'backup', directory, '--data', data])).code).toBe(0)
    server.child.kill('SIGTERM')
    await server.exited
    rmSync(data, { recursive: true })
    const restored = await kyros(['db', 'restore', directory, '--data', data])
    expect(restored.output).toMatch(/^Restored \d+ rows/)
    const again = spawnKyros(['up', '--port', '0', '--no-welcome', '--data', data])
    await again.ready()
    expect((await kyros(['jobs', 'get', jobId, '--data', data])).output).toContain('Keep me')
  })

  test('restore over data asks first', async () => {
    const data = temporaryDirectory()
    const { server } = await startWithJob(data)
    const directory = join(temporaryDirectory(), 'backup')
    await kyros(['db', 'backup', directory, '--data', data])
    server.child.kill('SIGTERM')
    await server.exited
    expect((await kyros(['db', 'restore', directory, '--data', data])).code).toBe(2)
    expect((await kyros(['db', 'restore', directory, '--yes', '--data', data])).code).toBe(0)
  })

  test('what changes the schema is refused while a server runs', async () => {
    const data = temporaryDirectory()
    const { server } = await startWithJob(data)
    const { code, lines } = await kyros(['db', 'reset', '--yes', '--data', data])
    expect(code).toBe(1)
    expect(lines).toEqual([expect.stringContaining('A server runs on'), expect.stringContaining('kill')])
    server.child.kill('SIGTERM')
    await server.exited
    expect((await kyros(['db', 'reset', '--yes', '--data', data])).code).toBe(0)
  })

  test('reset is refused in production', async () => {
    const words = ['db', 'reset', '--yes', '--data', temporaryDirectory()]
    const { code, lines } = await kyros(words, { env: { KYROS_ENV: 'production' } })
    expect(code).toBe(1)
    expect(lines[0]).toContain('production')
  })
})
