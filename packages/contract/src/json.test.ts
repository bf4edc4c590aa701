import { expect, test } from 'vitest'
import { canonicalJson } from './json.ts'

test('the order of keys does not matter, the order of items does', () => {
  expect(canonicalJson({ b: 1, a: [2, 1] })).toBe(canonicalJson({ a: [2, 1], b: 1 }))
  expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]))
})
