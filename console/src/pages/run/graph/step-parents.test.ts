import { expect, test } from 'vitest'
import { stepParents } from './step-parents.ts'

const scheduled = (command: number) => ({ type: 'step.scheduled', data: { command } })
const completed = (command: number) => ({ type: 'step.completed', data: { command } })

function parentsOf(...events: Parameters<typeof stepParents>[0]) {
  return Object.fromEntries(stepParents(events))
}

test('steps one after another form a chain', () => {
  const parents = parentsOf(scheduled(1), completed(1), scheduled(2), completed(2), scheduled(3))
  expect(parents).toEqual({ 1: [], 2: [1], 3: [2] })
})

test('steps scheduled together come after the same step, and the next after all of them', () => {
  const parents = parentsOf(
    ...[scheduled(1), completed(1), scheduled(2), scheduled(3), scheduled(4)],
    ...[completed(3), completed(2), completed(4), scheduled(5)],
  )
  expect(parents).toEqual({ 1: [], 2: [1], 3: [1], 4: [1], 5: [3, 2, 4] })
})

test('a branch goes on after its own step while the other still runs', () => {
  const parents = parentsOf(
    ...[scheduled(1), scheduled(2), completed(1), scheduled(3), completed(2), scheduled(4)],
    ...[completed(3), completed(4), scheduled(5)],
  )
  expect(parents).toEqual({ 1: [], 2: [], 3: [1], 4: [2], 5: [3, 4] })
})

test('a failed attempt that is tried again moves nothing on, the last one does', () => {
  const failed = (retry_at?: string) => ({
    type: 'step.failed',
    data: { command: 1, ...(retry_at && { retry_at }) },
  })
  expect(parentsOf(scheduled(1), failed('later'), scheduled(2), failed(), scheduled(3))).toEqual({
    1: [],
    2: [],
    3: [1],
  })
})

test('timers are steps too, and other events say nothing', () => {
  const parents = parentsOf(
    { type: 'run.created', data: {} },
    { type: 'timer.started', data: { command: 1 } },
    { type: 'value.recorded', data: { command: 2 } },
    { type: 'timer.fired', data: { command: 1 } },
    scheduled(3),
  )
  expect(parents).toEqual({ 1: [], 3: [1] })
})
