import type { NewRunEvent } from '@kyros/store/command'
import { expect, test } from 'vitest'
import { createTimers } from '../timers.ts'
import { foldControl, RunControl } from './run-control.ts'

const clock = { nowMs: () => 0, sleep: () => new Promise<void>(() => {}) }
const parts = { clock, timers: createTimers(clock) }

const paused = (timeMs: number): NewRunEvent => ({ type: 'run.pause_requested', timeMs, data: {} })
const resumed = (timeMs: number): NewRunEvent => ({ type: 'run.resume_requested', timeMs, data: {} })
const used = (tokens: number, cost_usd = 0): NewRunEvent => ({
  type: 'budget.used',
  timeMs: 1,
  data: { tokens, cost_usd },
})

test('a run of which nobody wanted anything has no control', () => {
  expect(foldControl(undefined, { type: 'run.started', timeMs: 1, data: {} }, 'ada')).toBeUndefined()
  expect(new RunControl(parts, undefined, undefined).held(1_000_000)).toBeUndefined()
})

test('time in which a run is paused adds up, and a second pause changes nothing', () => {
  const control = new RunControl(parts, undefined, undefined)
  for (const [event, actor] of [
    [paused(100), 'ada'],
    [paused(150), 'bob'],
  ] as const)
    control.fold(event, actor)
  expect(control.held(0)).toEqual({ reason: 'paused', detail: 'Paused by ada.' })
  control.fold(resumed(200), 'ada')
  control.fold(resumed(300), 'ada')
  control.fold(paused(400), 'bob')
  control.fold(resumed(410), 'bob')
  expect([control.held(0), control.pausedMs]).toEqual([undefined, 110])
})

test('what is used adds up to the limit of the workflow, and a limit of the run replaces that', () => {
  const control = new RunControl(parts, undefined, {
    tokens: 100,
    costUsd: 1,
    timeMs: 5000,
    onExceeded: 'fail',
  })
  control.fold(used(60, 0.25), undefined)
  expect(control.held(4999)).toBeUndefined()
  expect(control.held(5000)).toMatchObject({
    reason: 'budget_exceeded',
    detail: 'It was active for its 5000 ms.',
  })
  control.fold(used(60), undefined)
  expect(control.exceeded(0)).toMatchObject({ what: 'tokens', used: 120, limit: 100 })
  control.fold(
    { type: 'run.budget_set', timeMs: 2, data: { tokens: 200, cost_usd: 1, time_ms: 5000 } },
    'ada',
  )
  expect(control.exceeded(0)).toBeUndefined()
  control.fold(used(0, 0.75), undefined)
  expect(control.exceeded(0)?.sentence).toBe('It has used $1.00 of $1.00.')
  expect(control.failsWhenExceeded).toBe(true)
})
