import type { Json } from '@kyros/contract/json'
import { problem } from '@kyros/contract/problem'
import type { Store } from '@kyros/store/store'
import { isBlobReference } from '@kyros/store/stored-value'
import { maxPayloadBytes, PayloadError } from './json-value.ts'

export { maxPayloadBytes }
export const maxInlineBytes = 64 * 1024
/**
 * What goes into an event: the value itself, or a reference to a blob that is durable when this resolves. A value that
 * looks like a reference becomes a blob, too: whoever made it up must not get another value in its place.
 * @throws PayloadError above 1 MB
 */
export async function toStored(value: Json, what: string, blobs: Pick<Store['blobs'], 'put'>): Promise<Json> {
  if (isSmall(value)) return value
  const text = JSON.stringify(value)
  const bytes = Buffer.byteLength(text)
  if (bytes > maxPayloadBytes) {
    const limit = `${maxPayloadBytes} bytes`
    throw new PayloadError(
      'payload_too_large',
      `${what} has ${bytes} bytes, more than ${limit}. Keep the data as an artifact and pass its name.`,
    )
  }
  if (bytes <= maxInlineBytes && !isBlobReference(value)) return value
  const { sha256 } = await blobs.put(Buffer.from(text))
  return { $blob: sha256, bytes }
}

/** The same for a value of a caller, who is told. @throws body_too_large */
export async function takeIn(value: Json, what: string, blobs: Pick<Store['blobs'], 'put'>): Promise<Json> {
  try {
    return await toStored(value, what, blobs)
  } catch (error) {
    if (!(error instanceof PayloadError)) throw error
    throw problem('body_too_large', { detail: error.message })
  }
}

/** True when the value surely stays in the event: spares most payloads a serialization that only measures them. */
export function isSmall(value: Json): boolean {
  return roomAfter(value, maxInlineBytes) >= 0 && !isBlobReference(value)
}

/** What is left of `room` after the longest JSON that the value could need; below 0 as soon as that is clear. */
function roomAfter(value: Json, room: number): number {
  if (typeof value === 'string') return room - longestJson(value)
  if (typeof value !== 'object' || value === null) return room - 24
  let left = room - 2
  if (Array.isArray(value)) {
    for (const item of value) {
      left = roomAfter(item, left - 1)
      if (left < 0) return left
    }
    return left
  }
  for (const key in value) {
    left = roomAfter(value[key] ?? null, left - longestJson(key) - 2)
    if (left < 0) return left
  }
  return left
}

/** An escape takes six bytes. */
const longestJson = (text: string) => 6 * text.length + 2
