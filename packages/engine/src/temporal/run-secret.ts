import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import type { WaitpointRef } from '../embedded/waitpoint-tokens.ts'
import type { LiveFacts } from './start-facts.ts'

// Pure code, because it also runs in the sandbox of a cluster's worker, where there is no `node:crypto`.

/** What tokens of one run are made with: who knows it can answer for that run and those below it, and for no other. */
export function runSecret(key: Uint8Array, runId: string): string {
  return bytesToHex(hmac(sha256, key, utf8ToBytes(`temporal run ${runId}`)))
}

export function childSecret(secret: string, childId: string): string {
  return runSecret(hexToBytes(secret), childId)
}

/** In the form of the embedded engine's tokens: `<key>.<run_id>.<command>.<mac>`. */
export function signToken(
  live: Pick<LiveFacts, 'secret' | 'keyId'> | undefined,
  { runId, part, command }: WaitpointRef,
): string {
  const subject = `${runId}.${part === 0 ? '' : `${part}-`}${command}`
  const { secret = '', keyId = 'replayed' } = live ?? {}
  const mac = hmac(sha256, hexToBytes(secret), utf8ToBytes(`waitpoint ${subject}`)).subarray(0, 18)
  return `${keyId}.${subject}.${base64url(mac)}`
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Of whole groups of three bytes. */
function base64url(bytes: Uint8Array): string {
  let text = ''
  for (let index = 0; index < bytes.length; index += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(index, index + 3)
    const group = (a << 16) | (b << 8) | c
    for (const shift of [18, 12, 6, 0]) text += letters.charAt((group >> shift) & 63)
  }
  return text
}
