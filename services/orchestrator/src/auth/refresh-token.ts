import { hash, randomBytes } from 'node:crypto'

const dayMs = 24 * 3600 * 1000
const pattern = /^kyros_rt_[\w-]{43}\.([0-9a-z]{1,11})$/
// However often it is refreshed, a session ends and its user signs in again.
const maxSessionMs = 90 * dayMs

export type RefreshToken = {
  /** Given to the client, kept nowhere. */
  token: string
  hash: string
  /** Unless it is used before. */
  expiresMs: number
}

/**
 * A token that works once. It carries the end of its session; that cannot be changed by its holder, because only
 * the hash of the whole text is known to the store.
 */
export function newRefreshToken(
  nowMs: number,
  idleMs: number,
  sessionEndMs = nowMs + maxSessionMs,
): RefreshToken {
  const token = `kyros_rt_${randomBytes(32).toString('base64url')}.${sessionEndMs.toString(36)}`
  return { token, hash: hashSecret(token), expiresMs: Math.min(nowMs + idleMs, sessionEndMs) }
}

/** When the session of a token ends; undefined when the text is no refresh token. */
export function sessionEndOf(token: string): number | undefined {
  const end = pattern.exec(token)?.[1]
  return end === undefined ? undefined : Number.parseInt(end, 36)
}

/** How random secrets are kept: they have 256 bits, so a fast hash is enough. */
export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'hex')
}
