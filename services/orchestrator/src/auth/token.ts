import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { type Role, roles } from '@kyros/contract/auth'
import { isId } from '@kyros/contract/id'
import { type ProblemError, problem } from '@kyros/contract/problem'
import { isObject } from '@kyros/kernel/is-object'
import { deriveKey } from './derive-key.ts'

export type AccessClaims = {
  userId: string
  sessionId: string
  role: Role
  expiresMs: number
}

export type AccessTokens = {
  readonly lifeSeconds: number
  issue(claims: Omit<AccessClaims, 'expiresMs'>): string
  /** @throws token_invalid */
  read(token: string): AccessClaims
}

export type AccessTokensOptions = {
  secretKey: string
  /** Keys from before: tokens made with them hold until they expire. */
  previousSecretKeys?: readonly string[]
  clock: { nowMs(): number }
  lifeSeconds?: number
}

const defaultLifeSeconds = 30 * 60
const maxTokenLength = 2048
const issuer = 'kyros'
const audience = 'kyros'
// Servers that share a secret do not share a clock to the second.
const maxSkewSeconds = 60

/**
 * Access tokens: JWT (RFC 9068 shape), HS256. A token is accepted only when its header is byte for byte one
 * that is written here: no algorithm to choose, no key to point at, nothing to parse before the signature holds.
 */
export function createAccessTokens(options: AccessTokensOptions): AccessTokens {
  const { clock, lifeSeconds = defaultLifeSeconds } = options
  const own = signerOf(options.secretKey)
  const signers = [own, ...(options.previousSecretKeys ?? []).map(signerOf)]
  return {
    lifeSeconds,
    issue: ({ userId, sessionId, role }) => {
      const iat = Math.floor(clock.nowMs() / 1000)
      const jti = randomBytes(12).toString('base64url')
      const payload = {
        iss: issuer,
        aud: audience,
        sub: userId,
        sid: sessionId,
        role,
        iat,
        exp: iat + lifeSeconds,
        jti,
      }
      const text = `${own.header}.${encode(payload)}`
      return `${text}.${own.sign(text).toString('base64url')}`
    },
    read: (token) => {
      const [head, payload, signature, rest] = token.length > maxTokenLength ? [] : token.split('.', 4)
      const signer = signers.find(({ header }) => header === head)
      if (!signer || !payload || !signature || rest !== undefined) throw refused()
      const expected = signer.sign(`${head}.${payload}`)
      const given = Buffer.from(signature, 'base64url')
      // The text is compared too: other spellings of the same bytes are not the token that was issued.
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw refused()
      if (signature !== expected.toString('base64url')) throw refused()
      return readClaims(payload, clock.nowMs() / 1000)
    },
  }
}

type Signer = { header: string; sign(text: string): Buffer }

function signerOf(secretKey: string): Signer {
  const { id, key } = deriveKey(secretKey, 'access-token')
  return {
    header: encode({ alg: 'HS256', typ: 'at+jwt', kid: id }),
    sign: (text) => createHmac('sha256', key).update(text).digest(),
  }
}

function readClaims(payload: string, nowSeconds: number): AccessClaims {
  const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
  if (!isObject(claims) || claims.iss !== issuer || claims.aud !== audience) throw refused()
  const { sub, sid, exp, iat } = claims
  const role = roles.find((known) => known === claims.role)
  if (typeof exp !== 'number' || typeof iat !== 'number' || iat > nowSeconds + maxSkewSeconds) throw refused()
  if (typeof sub !== 'string' || !isId(sub) || typeof sid !== 'string' || !isId(sid) || !role) throw refused()
  if (exp <= nowSeconds) {
    throw problem('token_invalid', { detail: 'The access token has expired. Refresh it or sign in again.' })
  }
  return { userId: sub, sessionId: sid, role, expiresMs: exp * 1000 }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function refused(): ProblemError {
  return problem('token_invalid', { detail: 'The access token was not issued here. Sign in again.' })
}
