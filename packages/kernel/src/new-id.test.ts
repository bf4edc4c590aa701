import { isId } from '@kyros/contract/id'
import { expect, test } from 'vitest'
import { createNewId } from './new-id.ts'

test('ids sort in the order in which they were made, also within one millisecond and when the clock goes back', () => {
  let nowMs = 1_700_000_000_000
  const newId = createNewId({ nowMs: () => nowMs })
  const ids: string[] = []
  for (let made = 0; made < 10_000; made++) {
    if (made === 3_000) nowMs += 5
    if (made === 6_000) nowMs -= 60_000
    ids.push(newId())
  }
  expect(ids.every(isId)).toBe(true)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.toSorted()).toEqual(ids)
})
