import type { Json, JsonObject } from '@kyros/contract/json'

/**
 * Temporal's history in JSON, with payloads that are JSON as they are and not as base64: so that what must not be seen in
 * an answer is found in it, and a person can read it.
 */
const jsonKey = 'kyros_json'
const plain = 'json/plain'

const fromBase64 = (text: string) => Buffer.from(text, 'base64')
const toBase64 = (text: string | Uint8Array) => Buffer.from(text).toString('base64')

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

type BinaryPayload = { metadata: { [name: string]: Uint8Array }; data: Uint8Array }
type Open = (payload: BinaryPayload) => Promise<BinaryPayload>

/** Every payload in it opened by `open`, and shown. */
export async function showPayloads(value: Json, open: Open): Promise<Json> {
  if (Array.isArray(value)) return inTurn(value, (item) => showPayloads(item, open))
  if (!isObject(value)) return value
  const payload = payloadOf(value)
  if (payload !== undefined) return shown(await open(payload))
  const entries = await inTurn(
    Object.entries(value),
    async ([key, field]): Promise<[string, Json]> => [key, await showPayloads(field, open)],
  )
  return Object.fromEntries(entries)
}

/** What `showPayloads` has made, as Temporal writes it. */
export function hidePayloads(value: Json): Json {
  if (Array.isArray(value)) return value.map(hidePayloads)
  if (!isObject(value)) return value
  const known = value[jsonKey]
  if (known !== undefined)
    return { metadata: { encoding: toBase64(plain) }, data: toBase64(JSON.stringify(known)) }
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, hidePayloads(field)]))
}

/** The value of a payload that `showPayloads` has shown. */
export function shownValue(payload: Json | undefined): Json | undefined {
  return isObject(payload) ? payload[jsonKey] : undefined
}

async function inTurn<T, U>(items: readonly T[], act: (item: T) => Promise<U>): Promise<U[]> {
  const done: U[] = []
  for (const item of items) done.push(await act(item))
  return done
}

function payloadOf({ metadata, data = '' }: JsonObject): BinaryPayload | undefined {
  if (!isObject(metadata) || typeof metadata.encoding !== 'string' || typeof data !== 'string')
    return undefined
  const words = Object.entries(metadata).flatMap(([name, word]): [string, Uint8Array][] =>
    typeof word === 'string' ? [[name, fromBase64(word)]] : [],
  )
  return { metadata: Object.fromEntries(words), data: fromBase64(data) }
}

function shown({ metadata, data }: BinaryPayload): Json {
  const names = Object.keys(metadata)
  const encoding = Buffer.from(metadata.encoding ?? []).toString()
  if (encoding === plain && names.length === 1) {
    const text = Buffer.from(data).toString()
    try {
      const value: Json = JSON.parse(text)
      return { [jsonKey]: value }
    } catch {
      // Somebody else wrote it; the core is to see it as it is.
    }
  }
  const words = Object.entries(metadata).map(([name, word]) => [name, toBase64(word)])
  return { metadata: Object.fromEntries(words), data: toBase64(data) }
}
