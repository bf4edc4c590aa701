import type { NewRunEvent } from '@kyros/store/command'
import { expect, test } from 'vitest'
import { Activity } from './activity.ts'

// Border cast: the tests write type and data that belong together.
const event = (type: string, timeMs: number, command = 1) =>
  ({ type, timeMs, data: { command } }) as NewRunEvent

function activeMs(...events: NewRunEvent[]) {
  const activity = new Activity()
  for (const one of events) activity.fold(one)
  return activity.totalMs
}

test('time in which several attempts run counts once, and waiting does not count', () => {
  const events = [
    event('step.started', 100),
    event('step.started', 110, 2),
    event('step.completed', 130),
    event('step.failed', 150, 2),
    event('timer.started', 160),
    event('step.started', 200, 2),
    event('step.completed', 205, 2),
  ]
  expect(activeMs(...events)).toBe(55)
  expect(activeMs()).toBe(0)
})

test('an attempt that was cut off counts until the last that was heard of it', () => {
  const cut = [event('step.started', 100), event('signal.received', 130)]
  expect(activeMs(...cut)).toBe(30)
  expect(activeMs(...cut, event('step.started', 900), event('step.completed', 910))).toBe(40)
})

test('a fork has not used the time of what it took over', () => {
  const taken = [event('step.started', 100), event('step.completed', 150)]
  const own = [event('step.started', 1010, 2), event('step.completed', 1015, 2)]
  expect(activeMs(event('run.created', 1000), event('run.forked', 1000), ...taken, ...own)).toBe(5)
})
