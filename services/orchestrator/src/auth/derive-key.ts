import { hash, hkdfSync } from 'node:crypto'

export type KeyPurpose = 'access-token' | 'waitpoint' | 'temporal-payload'

const keyBytes = 32

/**
 * A key of its own for every purpose, so that what is signed for one can never be used for another. The id tells
 * keys apart and gives nothing away.
 */
export function deriveKey(secretKey: string, purpose: KeyPurpose): { id: string; key: Buffer } {
  const key = Buffer.from(hkdfSync('sha256', secretKey, 'kyros', `kyros/${purpose}/v1`, keyBytes))
  return { id: hash('sha256', key, 'base64url').slice(0, 8), key }
}
