import type { Json } from '@kyros/contract/json'
import { problem } from '@kyros/contract/problem'
import type { Store } from '@kyros/store/store'
import { isBlobReference } from '@kyros/store/stored-value'

export const maxInlineBytes = 64 * 1024
export const maxPayloadBytes = 1024 * 1024
const maxDepth = 200

/** A value that is not JSON, with the path to the fault; the same on both engines. */
export class PayloadError extends Error {
  override readonly name = 'PayloadError'
  readonly code: 'payload_not_json' | 'payload_too_large'

  constructor(code: 'payload_not_json' | 'payload_too_large', message: string) {
    super(message)
    this.code = code
  }
}

/**
 * A copy of `value` as it comes back from the log: own fields that are undefined are left out, `undefined` itself is
 * null. @throws PayloadError for Date, Map, BigInt, functions, class instances, NaN, holes and undefined in arrays.
 */
export function toJson(value: unknown, what: string): Json {
  return value === undefined ? null : copy(value, what, 0)
}

function copy(value: unknown, path: string, depth: number): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw notJson(path, `is ${value}`)
    return value === 0 ? 0 : value
  }
  if (depth > maxDepth) throw notJson(path, 'is nested too deeply or contains itself')
  if (Array.isArray(value))
    return Array.from(value, (item, index) => copy(item, `${path}[${index}]`, depth + 1))
  if (typeof value !== 'object')
    throw notJson(path, `is ${typeof value === 'undefined' ? '' : 'a '}${typeof value}`)
  if (!isPlain(value)) throw notJson(path, `is a ${value.constructor?.name ?? 'class instance'}`)
  const result: { [key: string]: Json } = {}
  for (const [key, field] of Object.entries(value)) {
    if (field !== undefined) define(result, key, copy(field, `${path}.${key}`, depth + 1))
  }
  return result
}

/** `__proto__` must become a field like any other, as JSON.parse does it. */
function define(target: { [key: string]: Json }, key: string, value: Json): void {
  if (key !== '__proto__') target[key] = value
  else Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
}

/** Also objects of another realm count as plain. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function notJson(path: string, is: string): PayloadError {
  return new PayloadError('payload_not_json', `${path} ${is}, which is not JSON. Return plain data instead.`)
}

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
