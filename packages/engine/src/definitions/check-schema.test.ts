import { expect, test } from 'vitest'
import { readSchema } from './check-schema.ts'

test.each([
  ['a text', 'a text', 'it is a string, not an object'],
  ['a list', [], 'it is a list, not an object'],
  ['a validator', { parse: () => 1 }, expect.stringContaining('validation library')],
  ['an unknown type', { type: 'strnig' }, 'it has the unknown type "strnig"'],
  [
    'one deeper',
    { properties: { a: { items: { type: 'x' } } } },
    '/properties/a/items has the unknown type "x"',
  ],
  ['properties without schemas', { properties: { a: 'string' } }, '/properties/a is not a schema'],
  ['a list that is none', { anyOf: {} }, '/anyOf is not a list of schemas'],
  ['required as a word', { required: 'a' }, 'it has a required that is not a list of names'],
  ['a pattern that is none', { pattern: '(' }, 'it has a pattern that is no regular expression'],
  ['a foreign reference', { $ref: 'https://x.test/y' }, 'it refers to another document, which is not read'],
  ['a limit in words', { minLength: 'one' }, 'it has a minLength that is not a number'],
])('%s is no schema', (_what, value, fault) => {
  expect(readSchema(value)).toEqual({ fault })
})

test('plain JSON Schema is taken as it is', () => {
  const schema = {
    type: ['object', 'null'],
    properties: { a: { enum: [1, 'x'] } },
    additionalProperties: false,
  }
  expect(readSchema(schema)).toEqual({ schema })
})
