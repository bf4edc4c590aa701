import type { Json } from '@kyros/contract/json'
import type { Store } from './store.ts'

/**
 * What an event holds in the place of a value that is too large for it, or that could be taken for such a reference:
 * whoever writes a value puts it away in both cases, so that what looks like a reference always is one of ours.
 */
export type BlobReference = { $blob: string; bytes: number }

/** What an event refers to is not there, or not what was put there: no second look will find it. */
export class StoredValueLost extends Error {
  override readonly name = 'StoredValueLost'
}

/** The value behind what an event holds; it is final, whatever it looks like. @throws StoredValueLost */
export async function fromStored(stored: Json, blobs: Pick<Store['blobs'], 'get'>): Promise<Json> {
  if (!isBlobReference(stored)) return stored
  const { $blob, bytes } = stored
  const data = await blobs.get($blob)
  if (data === undefined) throw new StoredValueLost(`The blob ${$blob} of ${bytes} bytes is missing.`)
  try {
    return JSON.parse(Buffer.from(data).toString('utf8'))
  } catch (cause) {
    throw new StoredValueLost(`The blob ${$blob} of ${bytes} bytes does not hold a value.`, { cause })
  }
}

const sha256 = /^[0-9a-f]{64}$/

export function isBlobReference(value: Json): value is BlobReference {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return false
  const { $blob, bytes } = value
  if (typeof $blob !== 'string' || typeof bytes !== 'number') return false
  return sha256.test($blob) && Object.keys(value).length === 2
}
