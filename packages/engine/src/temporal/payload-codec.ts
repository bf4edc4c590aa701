import type { Store } from '@kyros/store/store'
import type { Payload, PayloadCodec } from '@temporalio/common'
import { maxInlineBytes } from '../embedded/payload.ts'
import { PayloadCipher, type PayloadKey, PayloadUnreadable } from './payload-cipher.ts'

export type PayloadCodecOptions = {
  /** Where large payloads go. Everyone who reads a history needs the same. */
  blobs: Store['blobs']
  /** The newest key first: it encrypts, all decrypt. */
  keys: readonly [PayloadKey, ...PayloadKey[]]
  /** False: payloads are put into histories as they are. What is encrypted there is still read. Default: true. */
  encrypts?: boolean
}

/** What the metadata of our payloads says; the first two are the words that Temporal's own tools know. */
const encrypted = 'binary/encrypted'
const keyIdName = 'encryption-key-id'
const inBlob = 'binary/kyros-blob'

/** Payloads at once that wait for the blob store. */
const maxAtOnce = 16

/**
 * Keeps histories small and closed: what is above 64 KB becomes a blob of ours, under the hash that the embedded engine
 * would give it, and the history holds its hash and size; then everything is encrypted. A blob is durable before the
 * reference to it leaves. Rejects with PayloadUnreadable.
 */
export function createPayloadCodec(options: PayloadCodecOptions): PayloadCodec {
  const { blobs, keys, encrypts = true } = options
  const cipher = new PayloadCipher(keys)
  const encode = async (payload: Payload) => {
    const size = payload.data?.length ?? 0
    const small = size > maxInlineBytes ? await toBlob(payload, blobs) : payload
    return encrypts ? seal(small, cipher) : small
  }
  const decode = async (payload: Payload) => {
    const open = wordOf(payload, 'encoding') === encrypted ? unseal(payload, cipher) : payload
    return wordOf(open, 'encoding') === inBlob ? await fromBlob(open, blobs) : open
  }
  return {
    encode: (payloads) => mapInTurns(payloads, encode),
    decode: (payloads) => mapInTurns(payloads, decode),
  }
}

async function mapInTurns(
  payloads: readonly Payload[],
  convert: (payload: Payload) => Promise<Payload>,
): Promise<Payload[]> {
  const done: Payload[] = []
  for (let at = 0; at < payloads.length; at += maxAtOnce) {
    done.push(...(await Promise.all(payloads.slice(at, at + maxAtOnce).map(convert))))
  }
  return done
}

async function toBlob({ metadata, data }: Payload, blobs: Store['blobs']): Promise<Payload> {
  const { sha256, bytes } = await blobs.put(data ?? new Uint8Array())
  const reference = { sha256, bytes, metadata: toText(metadata) }
  return { metadata: { encoding: Buffer.from(inBlob) }, data: Buffer.from(JSON.stringify(reference)) }
}

async function fromBlob(payload: Payload, blobs: Store['blobs']): Promise<Payload> {
  const reference: unknown = JSON.parse(Buffer.from(payload.data ?? []).toString())
  if (!isReference(reference))
    throw new PayloadUnreadable('A reference to a large payload is not one of ours.')
  const { sha256, bytes, metadata } = reference
  const data = await blobs.get(sha256)
  if (data === undefined || data.length !== bytes) {
    const detail = `The large payload ${sha256} of ${bytes} bytes is not in this database. Everyone who reads a run needs the database of the server that started it.`
    throw new PayloadUnreadable(detail)
  }
  return { metadata: fromText(metadata), data }
}

type Reference = { sha256: string; bytes: number; metadata: { [name: string]: string } }

function isReference(value: unknown): value is Reference {
  if (typeof value !== 'object' || value === null) return false
  if (!('sha256' in value && 'bytes' in value && 'metadata' in value)) return false
  const { sha256, bytes, metadata } = value
  return typeof sha256 === 'string' && typeof bytes === 'number' && typeof metadata === 'object'
}

/** Encodings that need no words inside, because they are all that the metadata says. */
const plainEncodings = ['', 'json/plain', 'binary/null', 'binary/plain']
const withWords = 0

function seal(payload: Payload, cipher: PayloadCipher): Payload {
  return {
    metadata: { encoding: encryptedBytes, [keyIdName]: Buffer.from(cipher.keyId) },
    data: cipher.seal(pack(payload)),
  }
}

const encryptedBytes = Buffer.from(encrypted)

function unseal(payload: Payload, cipher: PayloadCipher): Payload {
  return unpack(cipher.open(wordOf(payload, keyIdName), payload.data ?? new Uint8Array()))
}

/** One byte for the usual encodings; else 0, the length of the metadata as JSON in four bytes, and that. Then the data. */
function pack({ metadata, data }: Payload): Buffer {
  const body = data ?? new Uint8Array()
  const names = Object.keys(metadata ?? {})
  const encoding = names.length === 1 ? plainEncodings.indexOf(wordOf({ metadata }, 'encoding')) : -1
  if (encoding > 0) return Buffer.concat([Buffer.of(encoding), body])
  const words = Buffer.from(JSON.stringify(toText(metadata)))
  const head = Buffer.alloc(5)
  head.writeUInt8(withWords)
  head.writeUInt32BE(words.length, 1)
  return Buffer.concat([head, words, body])
}

function unpack(bytes: Buffer): Payload {
  const first = bytes.readUInt8()
  if (first !== withWords) {
    return { metadata: { encoding: Buffer.from(plainEncodings[first] ?? '') }, data: bytes.subarray(1) }
  }
  const end = 5 + bytes.readUInt32BE(1)
  const words: { [name: string]: string } = JSON.parse(bytes.subarray(5, end).toString())
  return { metadata: fromText(words), data: bytes.subarray(end) }
}

function wordOf({ metadata }: Payload, name: string): string {
  const bytes = metadata?.[name]
  return bytes == null ? '' : Buffer.from(bytes).toString()
}

function toText(metadata: Payload['metadata']): { [name: string]: string } {
  const entries = Object.entries(metadata ?? {})
  return Object.fromEntries(entries.map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]))
}

function fromText(words: { [name: string]: string }): { [name: string]: Uint8Array } {
  return Object.fromEntries(Object.entries(words).map(([name, text]) => [name, Buffer.from(text, 'base64')]))
}
