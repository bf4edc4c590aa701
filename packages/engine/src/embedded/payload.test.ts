import { openStore } from '@kyros/store/open-store'
import { fromStored } from '@kyros/store/stored-value'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toJson } from './json-value.ts'
import { toStored } from './payload.ts'

test('what is JSON comes back as JSON.parse would give it', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      expect(toJson(value, 'it')).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('fields that are undefined are left out, and undefined itself is null', () => {
  expect(toJson({ a: undefined, b: 1 }, 'it')).toEqual({ b: 1 })
  expect(toJson(undefined, 'it')).toBeNull()
})

test.each([
  [{ a: [{ when: new Date(0) }] }, 'it.a[0].when is a Date'],
  [[1, undefined], 'it[1] is undefined'],
  [{ n: 1n }, 'it.n is a bigint'],
  [Number.POSITIVE_INFINITY, 'it is Infinity'],
  [() => 1, 'it is a function'],
  [Object.create(Object.create({ inherited: 1 })), 'it is a Object'],
])('%o is refused with the path to the fault', (value, says) => {
  expect(() => toJson(value, 'it')).toThrow(says)
})

test('a value that contains itself is refused', () => {
  const value: { self?: unknown } = {}
  value.self = value
  expect(() => toJson(value, 'it')).toThrow('contains itself')
})

test('a field called __proto__ stays a field', () => {
  const value = toJson(JSON.parse('{"__proto__": {"a": 1}}'), 'it')
  expect(Object.keys(value ?? {})).toEqual(['__proto__'])
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
})

test('large values become blobs and come back', async () => {
  const store = await openStore({ dataDir: ':memory:' })
  const value = { text: 'x'.repeat(70_000) }
  const stored = await toStored(value, 'it', store.blobs)
  expect(stored).toEqual({ $blob: expect.any(String), bytes: 70_011 })
  expect(await fromStored(stored, store.blobs)).toEqual(value)
  await expect(fromStored({ $blob: '0'.repeat(64), bytes: 1 }, store.blobs)).rejects.toThrow('is missing')
  await expect(toStored('x'.repeat(2_000_000), 'it', store.blobs)).rejects.toMatchObject({
    code: 'payload_too_large',
  })
  await store.close()
})
