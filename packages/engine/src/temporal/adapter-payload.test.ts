import { expect, test } from 'vitest'
import { maxPayloadBytes } from '../embedded/json-value.ts'
import { toPayload, toResult } from './adapter-payload.ts'

test('a payload may be as large as the log keeps, counted in bytes of its JSON', () => {
  const letters = 'x'.repeat(maxPayloadBytes - 2)
  expect(toPayload(letters, 'It')).toBe(letters)
  expect(() => toPayload(`${letters}x`, 'It')).toThrow('It has 1048577 bytes, more than 1048576 bytes.')
  expect(() => toPayload('é'.repeat(maxPayloadBytes / 2), 'It')).toThrow('It has 1048578 bytes')
  expect(() => toPayload('\u0001'.repeat(200_000), 'It')).toThrow('It has 1200002 bytes')
  expect(() => toPayload(new Array(300_000).fill(0.1), 'It')).toThrow('It has 1200001 bytes')
})

test('a result that is too large, or no JSON, is said in the words of the embedded engine', () => {
  expect(() => toResult('x'.repeat(maxPayloadBytes))).toThrow('The result is larger than 1 MB.')
  expect(() => toResult({ at: new Date(0) })).toThrow('The result of the run.at is a Date')
})
