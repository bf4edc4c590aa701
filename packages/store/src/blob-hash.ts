import { createHash } from 'node:crypto'
import { StoredValueLost } from './stored-value.ts'

export function hashOf(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

export function isHash(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text)
}

/** Bytes that are not what they were are never handed out. */
export function verified(sha256: string, data: Uint8Array): Uint8Array {
  if (hashOf(data) !== sha256) {
    throw new StoredValueLost(`Blob ${sha256} is damaged: its bytes do not have its hash`)
  }
  return data
}
