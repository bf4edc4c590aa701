import { expect, test } from 'vitest'
import { createSlots } from './slots.ts'

test('runs take turns, whatever number of steps each has waiting', () => {
  const slots = createSlots(1, () => 7)
  const order: string[] = []
  expect(slots.take('a', () => {})).toBe(true)
  for (const run of ['a', 'a', 'a', 'b', 'c']) slots.take(run, () => order.push(run))
  expect(slots.waitingSinceMs).toBe(7)
  for (let turn = 0; turn < 5; turn++) slots.release()
  expect(order).toEqual(['a', 'b', 'c', 'a', 'a'])
  expect([slots.used, slots.waiting]).toEqual([1, 0])
})

test('a run that is forgotten gets no slot', () => {
  const slots = createSlots(1, () => 7)
  slots.take('a', () => {})
  let granted = false
  slots.take('b', () => {
    granted = true
  })
  slots.forget('b')
  slots.release()
  expect([granted, slots.used, slots.waiting]).toEqual([false, 0, 0])
})

test('closed slots grant nothing', () => {
  const slots = createSlots(2, () => 7)
  slots.take('a', () => {})
  slots.close()
  let granted = false
  expect(
    slots.take('b', () => {
      granted = true
    }),
  ).toBe(false)
  slots.release()
  expect(granted).toBe(false)
})
