import fc from 'fast-check'
import { expect, test } from 'vitest'
import { eventId, idTimeMs, isId } from './id.ts'
import { uuidv7 } from './uuidv7.ts'

const milliseconds = fc.integer({ min: 0, max: 2 ** 47 })

test('a UUIDv7 carries its version, its variant and its time', () => {
  fc.assert(
    fc.property(milliseconds, fc.uint8Array({ minLength: 10, maxLength: 10 }), (timeMs, random) => {
      const id = uuidv7(timeMs, random)
      expect(isId(id)).toBe(true)
      expect(id[14]).toBe('7')
      expect('89ab').toContain(id[19])
      expect(idTimeMs(id)).toBe(timeMs)
    }),
  )
})

test('two numbers never give one event id', () => {
  fc.assert(
    fc.property(milliseconds, fc.maxSafeNat(), fc.maxSafeNat(), (timeMs, a, b) => {
      expect(eventId(timeMs, a) === eventId(timeMs, b)).toBe(a === b)
    }),
  )
})
