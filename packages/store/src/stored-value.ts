import type { Json } from '@kyros/contract/json'
import type { Store } from './store.ts'

/** What an event holds in the place of a value that is too large for it. */
export type BlobReference = { $blob: string; bytes: number }

/** The value behind what an event holds. @throws when a blob is gone. */
export async function fromStored(stored: Json, blobs: Store['blobs']): Promise<Json> {
  if (!isBlobReference(stored)) return stored
  const data = await blobs.get(stored.$blob)
  if (data === undefined) throw new Error(`The blob ${stored.$blob} of ${stored.bytes} bytes is missing.`)
  return JSON.parse(Buffer.from(data).toString('utf8'))
}

export function isBlobReference(value: Json): value is BlobReference {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return false
  return Object.keys(value).length === 2 && typeof value.$blob === 'string' && typeof value.bytes === 'number'
}
