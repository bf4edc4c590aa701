import { argon2Sync } from 'node:crypto'
import { expect, test } from 'vitest'
import { createPasswords } from './password.ts'

test('a password matches its hash and no other, and every hash has its own salt', async () => {
  const passwords = createPasswords()
  const [hash, again] = await Promise.all([passwords.hash('Grüße 🐎'), passwords.hash('Grüße 🐎')])
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  expect(again).not.toBe(hash)
  expect(await passwords.verify('Grüße 🐎', hash)).toEqual({ matches: true, outdated: false })
  expect(await passwords.verify('Grüße 🐎'.normalize('NFD'), hash)).toMatchObject({ matches: true })
  expect(await passwords.verify('grüße 🐎', hash)).toEqual({ matches: false, outdated: false })
})

test('a hash of another cost is verified and called outdated', async () => {
  const nonce = Buffer.alloc(16, 7)
  const cost = { memory: 64, passes: 1, parallelism: 1 }
  const tag = argon2Sync('argon2id', { message: 'secret', nonce, tagLength: 32, ...cost })
  const bare = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')
  const hash = `$argon2id$v=19$m=64,t=1,p=1$${bare(nonce)}$${bare(tag)}`
  expect(await createPasswords().verify('secret', hash)).toEqual({ matches: true, outdated: true })
})

test.each([
  undefined,
  '',
  'plain',
  '$2b$10$abcdefghijklmnopqrstuv',
  '$argon2id$v=19$m=9999999,t=2,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA',
])('nothing matches %j, at the cost of a real hash', async (hash) => {
  const passwords = createPasswords()
  const real = await passwords.hash('x')
  const time = async (of: string | undefined) => {
    const startedMs = performance.now()
    expect((await passwords.verify('y', of)).matches).toBe(false)
    return performance.now() - startedMs
  }
  const realMs = await time(real)
  expect(await time(hash)).toBeGreaterThan(realMs / 4)
})

test('a flood of passwords is refused instead of queued without end', async () => {
  const passwords = createPasswords()
  const results = await Promise.allSettled(Array.from({ length: 80 }, () => passwords.verify('x', undefined)))
  const refused = results.filter((result) => result.status === 'rejected')
  expect(refused).toHaveLength(80 - 66)
  expect(refused[0]).toMatchObject({ reason: { code: 'rate_limit_exceeded' } })
  expect((await passwords.verify('x', undefined)).matches).toBe(false)
})
