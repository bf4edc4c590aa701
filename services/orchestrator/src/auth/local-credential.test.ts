import { chmod, mkdtemp, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createLocalCredential, readLocalCredential } from './local-credential.ts'
import { testAuth } from './test-auth.ts'

async function directory(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'kyros-credential-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  return dir
}

test('the file is for its owner alone, every start makes another, and nothing else is left', async () => {
  const dir = await directory()
  const first = await createLocalCredential(dir)
  expect(await readLocalCredential(dir)).toBe(first)
  const second = await createLocalCredential(dir)
  expect(second).not.toBe(first)
  expect(await readLocalCredential(dir)).toBe(second)
  expect((await stat(join(dir, 'cli-token'))).mode & 0o777).toBe(0o600)
  expect(await readdir(dir)).toEqual(['cli-token'])
})

test('no server, no credential', async () => {
  expect(await readLocalCredential(await directory())).toBeUndefined()
  expect(await readLocalCredential('/nonexistent')).toBeUndefined()
})

test('a file that others may read is refused', async () => {
  const dir = await directory()
  await createLocalCredential(dir)
  for (const mode of [0o640, 0o604, 0o620]) {
    await chmod(join(dir, 'cli-token'), mode)
    await expect(readLocalCredential(dir)).rejects.toMatchObject({ name: 'LocalCredentialRefused' })
  }
})

test('a link is refused by the reader and replaced by the writer', async () => {
  const dir = await directory()
  await createLocalCredential(dir)
  await rename(join(dir, 'cli-token'), join(dir, 'elsewhere'))
  await symlink(join(dir, 'elsewhere'), join(dir, 'cli-token'))
  await expect(readLocalCredential(dir)).rejects.toThrow(/is a link/)
  const token = await createLocalCredential(dir)
  expect(await readLocalCredential(dir)).toBe(token)
})

test('a file with something else in it is no credential', async () => {
  const dir = await directory()
  await writeFile(join(dir, 'cli-token'), 'x'.repeat(100_000), { mode: 0o600 })
  expect(await readLocalCredential(dir)).toBeUndefined()
})

test('its holder is an admin under a name of its own, only as a bearer and only with the current one', async () => {
  const localToken = await createLocalCredential(await directory())
  const { verifier, app, user, get, signIn } = await testAuth({ localToken })
  const admin = await user('admin')
  expect(await verifier({ kind: 'bearer', token: localToken })).toEqual({
    id: 'local:cli',
    userId: admin.id,
    role: 'admin',
    via: 'local',
  })
  expect((await get('/auth/user', localToken)).json()).toMatchObject({ email: 'admin@kyros.test' })
  expect((await get('/auth/users', localToken)).statusCode).toBe(200)
  const cookie = `kyros_session_8000=${localToken}`
  expect((await app.inject({ url: '/auth/user', headers: { cookie } })).statusCode).toBe(401)
  expect((await get('/auth/user', `${localToken.slice(0, -1)}!`)).statusCode).toBe(401)
  await signIn('admin')
})
