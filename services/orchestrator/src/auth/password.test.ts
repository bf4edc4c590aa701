import { argon2Sync } from 'node:crypto'
import { expect, test } from 'vitest'
import { createPasswords } from './password.ts'

test('a password matches its hash and no other, and every hash has its own salt', async () => {
  const passwords = createPasswords()
  const [hash, again] = await Promise.all([passwords.hash('Café 🐎'), passwords.hash('Café 🐎')])
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  expect(again).not.toBe(hash)
  expect(await passwords.verify('Café 🐎', hash)).toEqual({ matches: true, outdated: false })
  expect(await passwords.verify('Café 🐎'.normalize('NFD'), hash)).toMatchObject({ matches: true })
  expect(await passwords.verify('café 🐎', hash)).toEqual({ matches: false, outdated: false })
})

test('a hash of another cost is verified and called outdated', async () => {
  const nonce = Buffer.alloc(16, 7)
  const cost = { memory: 64, passes: 1, parallelism: 1 }
  const tag = argon2Sync('argon2id', { message: 'secret', nonce, tagLength: 32, ...cost })
  const bare = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')
  const hash = `$argon2id$v=19$m=64,t=1,p=1$${bare(nonce)}$${bare(tag)}`
  expect(await createPasswords().verify('secret', hash)).toEqual({ matches: true, outdated: true })
})

test('nothing matches what is no hash, and finding that out takes as long as a real one', async () => {
  const passwords = createPasswords()
  /** The shortest of three: what other programs do on the machine only makes it longer. */
  const fastest = async (hash: string | undefined) => {
    const times: number[] = []
    for (let round = 0; round < 3; round++) {
      const startedMs = performance.now()
      expect((await passwords.verify('y', hash)).matches).toBe(false)
      times.push(performance.now() - startedMs)
    }
    return Math.min(...times)
  }
  const realMs = await fastest(await passwords.hash('x'))
  const tooCostly = `$argon2id$v=19$m=9999999,t=2,p=1$${'A'.repeat(11)}$${'A'.repeat(22)}`
  for (const hash of [undefined, '', 'plain', `$2b$10$${'a'.repeat(53)}`, tooCostly]) {
    expect(await fastest(hash)).toBeGreaterThan(realMs / 4)
  }
})

test('a flood of passwords is refused instead of queued without end', async () => {
  const passwords = createPasswords({ maxAtOnce: 2, maxWaiting: 3 })
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => passwords.verify('x', undefined)))
  const refused = results.filter((result) => result.status === 'rejected')
  expect(refused).toHaveLength(3)
  expect(refused[0]).toMatchObject({ reason: { code: 'rate_limit_exceeded' } })
  expect((await passwords.verify('x', undefined)).matches).toBe(false)
})
