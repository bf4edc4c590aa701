import { createHmac } from 'node:crypto'
import { fakeClock } from '@kyros/kernel/fake-clock'
import { expect, test } from 'vitest'
import { deriveKey } from './derive-key.ts'
import { createAccessTokens } from './token.ts'

const secretKey = 'a secret of at least thirty-two characters'
const userId = '01900000-0000-7000-8000-000000000001'
const sessionId = '01900000-0000-7000-8000-000000000002'
const claims = { userId, sessionId, role: 'operator' } as const
const { id: kid, key } = deriveKey(secretKey, 'access-token')

function setUp() {
  const clock = fakeClock()
  return { clock, tokens: createAccessTokens({ secretKey, clock }) }
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

function forge(header: object, payload: object, signingKey: Buffer | string = key): string {
  const text = `${encode(header)}.${encode(payload)}`
  return `${text}.${createHmac('sha256', signingKey).update(text).digest('base64url')}`
}

test('a token says who it is for until it expires after half an hour', async () => {
  const { tokens, clock } = setUp()
  const token = tokens.issue(claims)
  expect(tokens.read(token)).toEqual({ ...claims, expiresMs: clock.nowMs() + 1_800_000 })
  await clock.advance(1_799_000)
  expect(tokens.read(token).userId).toBe(userId)
  await clock.advance(1000)
  expect(() => tokens.read(token)).toThrow(/expired/)
})

test('two tokens of the same moment differ', () => {
  const { tokens } = setUp()
  expect(tokens.issue(claims)).not.toBe(tokens.issue(claims))
})

test('a token of another secret is refused', () => {
  const { tokens, clock } = setUp()
  const other = createAccessTokens({ secretKey: 'another secret with thirty-two characters', clock })
  expect(() => tokens.read(other.issue(claims))).toThrow(expect.objectContaining({ code: 'token_invalid' }))
})

test('a token of an earlier secret holds while that secret is given, and is not what is issued', () => {
  const { tokens, clock } = setUp()
  const token = tokens.issue(claims)
  const next = 'another secret with thirty-two characters'
  const rotated = createAccessTokens({ secretKey: next, previousSecretKeys: [secretKey], clock })
  expect(rotated.read(token).userId).toBe(userId)
  expect(() => tokens.read(rotated.issue(claims))).toThrow(expect.objectContaining({ code: 'token_invalid' }))
})

const now = Math.floor(fakeClock().nowMs() / 1000)
const header = { alg: 'HS256', typ: 'at+jwt', kid }
const payload = {
  iss: 'kyros',
  aud: 'kyros',
  sub: userId,
  sid: sessionId,
  role: 'admin',
  iat: now,
  exp: now + 600,
}
const without = (name: keyof typeof payload) => {
  const { [name]: _gone, ...rest } = payload
  return rest
}

test('a forged token with everything right is a token: the refusals below are for their own reasons', () => {
  expect(setUp().tokens.read(forge(header, payload)).role).toBe('admin')
})

test.each([
  ['alg none', `${encode({ ...header, alg: 'none' })}.${encode(payload)}.`],
  ['alg nOnE', forge({ ...header, alg: 'nOnE' }, payload)],
  ['another alg', forge({ ...header, alg: 'HS512' }, payload)],
  ['no kid', forge({ alg: 'HS256', typ: 'at+jwt' }, payload)],
  ['a wrong kid', forge({ ...header, kid: '../../etc/passwd' }, payload)],
  ['a key in the header', forge({ ...header, jwk: { kty: 'oct', k: 'AA' } }, payload)],
  ['a key address', forge({ ...header, jku: 'https://evil.test/keys' }, payload)],
  ['the type of an id token', forge({ ...header, typ: 'JWT' }, payload)],
  ['the plain secret as the key', forge(header, payload, secretKey)],
  ['the plain token of older clients', forge({ alg: 'HS256', typ: 'JWT' }, { sub: 'user1' }, secretKey)],
  ['an empty key', forge(header, payload, '')],
  ['no exp', forge(header, without('exp'))],
  ['an exp that is text', forge(header, { ...payload, exp: String(payload.exp) })],
  ['an exp that has passed', forge(header, { ...payload, exp: now })],
  ['an iat in the future', forge(header, { ...payload, iat: now + 120 })],
  ['no iss', forge(header, without('iss'))],
  ['another iss', forge(header, { ...payload, iss: 'evil' })],
  ['no aud', forge(header, without('aud'))],
  ['several aud', forge(header, { ...payload, aud: ['kyros', 'other'] })],
  ['no session', forge(header, without('sid'))],
  ['a role that does not exist', forge(header, { ...payload, role: 'root' })],
  ['no payload', forge(header, [])],
  ['no signature', `${encode(header)}.${encode(payload)}.`],
  ['a padded signature', `${forge(header, payload)}=`],
  ['a signature with a space', `${forge(header, payload)} `],
  ['a fourth part', `${forge(header, payload)}.x`],
  ['two parts', `${encode(header)}.${encode(payload)}`],
  ['nothing', ''],
  ['a huge token', forge(header, { ...payload, filler: 'x'.repeat(1_000_000) })],
])('a token with %s is refused', (_name, token) => {
  expect(() => setUp().tokens.read(token)).toThrow(expect.objectContaining({ code: 'token_invalid' }))
})
