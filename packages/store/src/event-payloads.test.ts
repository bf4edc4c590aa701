import { expect, test } from 'vitest'
import type { NewRunEvent } from './command.ts'
import { hasValueInBlob, withValues } from './event-payloads.ts'
import { isBlobReference } from './stored-value.ts'

const reference = { $blob: 'a'.repeat(64), bytes: 70_000 }
// Border cast: type and data belong together in each of them.
const event = (type: string, data: object) => ({ type, timeMs: 1, data }) as NewRunEvent
const read = async () => 'the value'

test('a part of a run has its input, its state and the signals that it was handed', async () => {
  const carried = [
    { signal: 'a', payload: reference },
    { signal: 'b', payload: 2 },
  ]
  const continued = event('run.continued', { input: 1, loop: { state: 3 }, carried, part: 1 })
  expect(hasValueInBlob(continued)).toBe(true)
  const whole = await withValues(continued, async (stored) =>
    isBlobReference(stored) ? 'the value' : stored,
  )
  expect(whole.data).toEqual({
    ...{ input: 1, loop: { state: 3 }, part: 1 },
    carried: [
      { signal: 'a', payload: 'the value' },
      { signal: 'b', payload: 2 },
    ],
  })
})

test('names and numbers that a definition chose are never taken for a reference', async () => {
  const attributes = event('attributes.set', { command: 1, attributes: reference })
  const error = { ...reference, code: 'x', message: 'y' }
  const failed = event('run.failed', { reason: 'workflow_failed', error })
  for (const one of [attributes, failed]) {
    expect(hasValueInBlob(one)).toBe(false)
    expect(await withValues(one, read)).toBe(one)
  }
})

test('only what has the very form of a reference is one', () => {
  const others = [
    { $blob: 'short', bytes: 1 },
    { ...reference, more: 1 },
    { $blob: 'A'.repeat(64), bytes: 1 },
    { $blob: 'a'.repeat(64), bytes: '1' },
    [reference],
    null,
  ]
  expect(others.map(isBlobReference)).toEqual(others.map(() => false))
  expect(isBlobReference({ bytes: 1, $blob: 'a'.repeat(64) })).toBe(true)
})
