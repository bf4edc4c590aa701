import { randomBytes } from 'node:crypto'
import { hashSecret } from './refresh-token.ts'

const pattern = /^kyros_[\w-]{43}$/
const prefixLength = 12

/** Whether a text has the form of an API key; says nothing about whether it is one. */
export function isApiKey(text: string): boolean {
  return pattern.test(text)
}

/** A key with 256 random bits. Its prefix tells keys apart in lists, only its hash is kept. */
export function newApiKey(): { key: string; prefix: string; hash: string } {
  const key = `kyros_${randomBytes(32).toString('base64url')}`
  return { key, prefix: key.slice(0, prefixLength), hash: hashSecret(key) }
}
