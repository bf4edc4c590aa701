import { openStore } from '@kyros/store/open-store'
import { defaultPayloadConverter, type Payload } from '@temporalio/common'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PayloadKey, payloadKeyId } from './payload-cipher.ts'
import { createPayloadCodec } from './payload-codec.ts'

type Store = Awaited<ReturnType<typeof openStore>>
let store: Store
beforeAll(async () => {
  store = await openStore({ dataDir: ':memory:' })
})
afterAll(() => store.close())

const keyOf = (byte: number): PayloadKey => {
  const key = new Uint8Array(32).fill(byte)
  return { id: payloadKeyId(key), key }
}
const [older, newer] = [keyOf(1), keyOf(2)]

const codecWith = (...keys: [PayloadKey, ...PayloadKey[]]) => createPayloadCodec({ blobs: store.blobs, keys })
const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value) ?? {}
const only = ([payload = {}]: Payload[]) => payload
const bytesOf = ({ data }: Payload) => Buffer.from(data ?? [])
const wordOf = ({ metadata }: Payload, name: string) => Buffer.from(metadata?.[name] ?? []).toString()

test('what was encoded comes back, whatever it was, and the history does not show it', async () => {
  const codec = codecWith(newer)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.jsonValue({ maxDepth: 4 }), { maxLength: 4 }), async (values) => {
      const encoded = await codec.encode(values.map(payloadOf))
      const decoded = await codec.decode(encoded)
      expect(decoded.map((one) => defaultPayloadConverter.fromPayload(one))).toEqual(
        JSON.parse(JSON.stringify(values)),
      )
      expect(encoded.map((one) => wordOf(one, 'encoding'))).toEqual(values.map(() => 'binary/encrypted'))
    }),
    { numRuns: 50 },
  )
})

test('metadata of any kind comes back, and so does undefined', async () => {
  const codec = codecWith(newer)
  const metadata = { encoding: Buffer.from('json/plain'), type: Buffer.from('Keyword') }
  const [first = {}, second = {}, third] = await codec.decode(
    await codec.encode([{ metadata, data: Buffer.from('1') }, payloadOf(undefined), {}]),
  )
  expect([wordOf(first, 'type'), bytesOf(first).toString()]).toEqual(['Keyword', '1'])
  expect(defaultPayloadConverter.fromPayload(second)).toBeUndefined()
  expect(third).toMatchObject({ metadata: {} })
})

test('equal values differ once they are encrypted, also between processes', async () => {
  const secret = payloadOf({ password: 'swordfish' })
  const [one, other] = [codecWith(newer), codecWith(newer)]
  const sealed = [...(await one.encode([secret, secret])), ...(await other.encode([secret]))].map(bytesOf)
  expect(new Set(sealed.map((bytes) => bytes.toString('hex'))).size).toBe(3)
  expect(sealed.some((bytes) => bytes.includes('swordfish'))).toBe(false)
})

test('no byte can be changed without being noticed', async () => {
  const codec = codecWith(newer)
  const sealed = only(await codec.encode([payloadOf('a')]))
  for (let at = 0; at < bytesOf(sealed).length; at += 1) {
    const data = bytesOf(sealed)
    data.writeUInt8(data.readUInt8(at) ^ 1, at)
    await expect(codec.decode([{ ...sealed, data }])).rejects.toThrow(`with the key ${newer.id} was changed`)
  }
  await expect(codec.decode([{ ...sealed, data: Buffer.alloc(20) }])).rejects.toThrow('was changed')
})

test('the newest key encrypts, and older ones still open what they closed', async () => {
  const before = await codecWith(older).encode([payloadOf('then')])
  const ring = codecWith(newer, older)
  const after = await ring.encode([payloadOf('now')])
  expect(wordOf(only(after), 'encryption-key-id')).toBe(newer.id)
  const values = (await ring.decode([...before, ...after])).map((one) =>
    defaultPayloadConverter.fromPayload(one),
  )
  expect(values).toEqual(['then', 'now'])
})

test('a key that is not there is named, with what to do', async () => {
  const sealed = await codecWith(older).encode([payloadOf('then')])
  await expect(codecWith(newer).decode(sealed)).rejects.toThrow(
    `A payload is encrypted with the key ${older.id}, and this Kyros has ${newer.id}. Add the SECRET_KEY of that time`,
  )
})

test('a payload above 64 KB is a blob under the hash of its JSON, and the history holds a reference', async () => {
  const codec = codecWith(newer)
  const value = { text: 'x'.repeat(70_000) }
  const { sha256 } = await store.blobs.put(Buffer.from(JSON.stringify(value)))
  const blobs: string[] = []
  const watched = createPayloadCodec({
    keys: [newer],
    encrypts: false,
    blobs: {
      put: async (data) => {
        const put = await store.blobs.put(data)
        blobs.push(put.sha256)
        return put
      },
      get: (hash) => store.blobs.get(hash),
    },
  })
  const open = only(await watched.encode([payloadOf(value)]))
  expect([blobs, wordOf(open, 'encoding')]).toEqual([[sha256], 'binary/kyros-blob'])
  expect(bytesOf(open).length).toBeLessThan(250)
  const sealed = only(await codec.encode([payloadOf(value)]))
  expect(bytesOf(sealed).length).toBeLessThan(300)
  const values = (await codec.decode([open, sealed])).map((one) => defaultPayloadConverter.fromPayload(one))
  expect(values).toEqual([value, value])
})

test('a blob that is not in this database is an error that names it', async () => {
  const sealed = await codecWith(newer).encode([payloadOf('y'.repeat(70_000))])
  const elsewhere = createPayloadCodec({
    keys: [newer],
    blobs: { put: store.blobs.put, get: async () => undefined },
  })
  await expect(elsewhere.decode(sealed)).rejects.toThrow(/^The large payload [0-9a-f]{64} of 70002 bytes/)
})

test('without encryption payloads stay as they are, and what was encrypted before is still read', async () => {
  const plain = createPayloadCodec({ blobs: store.blobs, keys: [newer], encrypts: false })
  const given = payloadOf({ a: 1 })
  expect(await plain.encode([given])).toEqual([given])
  const sealed = await codecWith(newer).encode([given])
  const back = await plain.decode([given, ...sealed])
  expect(back.map((one) => defaultPayloadConverter.fromPayload(one))).toEqual([{ a: 1 }, { a: 1 }])
})
