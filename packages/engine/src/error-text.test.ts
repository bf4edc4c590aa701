import { expect, test } from 'vitest'
import { fieldsOf, isError, maxErrorChars, messageOf, stackOf, textOf } from './error-text.ts'

const thrower = () => {
  throw new Error('of the getter')
}
const hostile: [string, unknown][] = [
  ['an object without a prototype', Object.create(null)],
  ['an object whose toString throws', { toString: thrower }],
  ['an object whose toString answers with an object', { toString: () => ({}), valueOf: () => ({}) }],
  ['an error whose message throws', Object.defineProperty(new Error('x'), 'message', { get: thrower })],
  [
    'an error whose fields throw',
    Object.defineProperties(new Error('x'), {
      code: { get: thrower },
      cause: { get: thrower },
      stack: { get: thrower },
    }),
  ],
  ['an error whose message is an object', Object.assign(new Error('x'), { message: Object.create(null) })],
  [
    'a proxy that lets nobody look',
    new Proxy(new Error('x'), { get: thrower, getPrototypeOf: thrower, has: thrower }),
  ],
  ['a symbol', Symbol('s')],
  ['nothing', undefined],
]

test.each(hostile)('%s has a text', (_name, thrown) => {
  expect(typeof textOf(thrown)).toBe('string')
  expect(typeof messageOf(thrown)).toBe('string')
  expect(typeof stackOf(thrown)).toBe('string')
  expect(typeof isError(thrown)).toBe('boolean')
  for (const value of Object.values(fieldsOf(thrown))) expect(['string', 'boolean']).toContain(typeof value)
})

test('an error keeps its words', () => {
  const error = Object.assign(new Error('outer', { cause: new Error('inner') }), {
    code: 'c',
    retryable: false,
  })
  expect(textOf(error)).toBe('Error: outer')
  expect(messageOf(error)).toBe('outer')
  expect(fieldsOf(error)).toEqual({ code: 'c', retryable: false, cause: 'inner' })
  expect(fieldsOf(Object.assign(new Error(), { code: 7, retryable: 'yes' }))).toEqual({})
})

test('a text is as long as an event may carry it, and says that it was cut', () => {
  const long = 'x'.repeat(5_000_000)
  for (const text of [
    textOf(long),
    messageOf(new Error(long)),
    fieldsOf(new Error('m', { cause: new Error(long) })).cause,
  ]) {
    expect(text?.length).toBeLessThan(maxErrorChars + 10)
    expect(text).toMatch(/\(cut\)$/)
  }
})
