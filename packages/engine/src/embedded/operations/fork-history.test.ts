import type { NewRunEvent } from '@kyros/store/command'
import { expect, test } from 'vitest'
import { forkPrefix, stepKeys } from './fork-history.ts'

let timeMs = 0
// Border cast: the tests write type and data that belong together.
const event = (type: string, data: object = {}) => ({ type, timeMs: ++timeMs, data }) as NewRunEvent
const scheduled = (command: number, key: string) =>
  event('step.scheduled', { step: key, key, command, input: null, max_attempts: 3 })
const began = (command: number, key: string, attempt = 1) =>
  event('step.started', { step: key, key, command, attempt })
const completed = (command: number, key: string) =>
  event('step.completed', { step: key, key, command, attempt: 1, output: key })

const said = (events: readonly NewRunEvent[] | undefined) =>
  events?.map(({ type, data }) => ('key' in data ? `${type} ${data.key}` : type))

test('a fork has everything up to before its step, and nothing that was done to the other run', () => {
  const events = [
    event('run.created'),
    event('run.waiting', { reason: 'timer' }),
    event('run.started'),
    scheduled(1, 'A'),
    began(1, 'A'),
    event('run.pause_requested'),
    event('signal.received', { signal: 'go', payload: 1, inbox_id: 7 }),
    event('budget.used', { tokens: 5 }),
    completed(1, 'A'),
    scheduled(2, 'B'),
    completed(2, 'B'),
  ]
  const prefix = forkPrefix(events, 'B')
  expect(said(prefix)).toEqual([
    ...['run.started', 'step.scheduled A', 'step.started A', 'signal.received', 'step.completed A'],
  ])
  expect(prefix?.[3]?.data).toEqual({ signal: 'go', payload: 1 })
  expect(prefix?.at(-1)).toBe(events[8])
  expect(forkPrefix(events, 'C')).toBeUndefined()
  expect(stepKeys(events)).toEqual(['A', 'B'])
})

test('what was under way begins anew: its attempts are not copied, nor a child that belongs to the other run', () => {
  const events = [
    event('run.created'),
    event('run.started'),
    scheduled(1, 'A'),
    began(1, 'A'),
    event('step.failed', {
      step: 'A',
      key: 'A',
      command: 1,
      attempt: 1,
      error: { code: 'x', message: '' },
      retry_at: 'later',
    }),
    event('child.started', { child: 'other', command: 2, run_id: 'r', parent_close: 'cancel' }),
    event('timer.started', { timer: 'sleep', command: 3, fire_at: 'then' }),
    scheduled(4, 'B'),
    completed(1, 'A'),
  ]
  expect(said(forkPrefix(events, 'B'))).toEqual(['run.started', 'step.scheduled A', 'timer.started'])
})

test('a fork of a run that continued as new has its last part before the step', () => {
  const events = [
    event('run.created'),
    event('run.started'),
    scheduled(1, 'A'),
    completed(1, 'A'),
    event('run.continued', { input: 1 }),
    scheduled(1, 'A'),
    completed(1, 'A'),
    scheduled(2, 'B'),
    event('run.continued', { input: 2 }),
    scheduled(1, 'A'),
  ]
  const prefix = forkPrefix(events, 'B')
  expect(said(prefix)).toEqual(['run.started', 'run.continued', 'step.scheduled A', 'step.completed A'])
  expect(prefix?.[1]).toBe(events[4])
  expect(said(forkPrefix(events, 'A'))).toEqual(['run.started', 'run.continued'])
  // A fork goes to the engine that it is given to, wherever the other run went with this part.
  const before = { started_ms: 1, active_ms: 2, inbox_ids: [] }
  for (const data of [{ input: 2 }, { input: 2, before }]) {
    const moved = event('run.continued', { ...data, engine: 'temporal' })
    expect(forkPrefix([...events.slice(0, 8), moved, scheduled(1, 'C')], 'C')?.[1]?.data).toEqual(data)
  }
})

test('of what outlived the parts before it a fork keeps the limits alone', () => {
  const before = {
    ...{ started_ms: 1, active_ms: 2, inbox_ids: [7], leaving: [{ run_id: 'c', parent_close: 'cancel' }] },
    parent: { run_id: 'p', command: 1, parent_close: 'cancel' },
    control: {
      paused: { by: 'user:a', sinceMs: 1 },
      pausedMs: 5,
      limits: { tokens: 9 },
      tokens: 8,
      costUsd: 1,
    },
  }
  const events = [event('run.started'), event('run.continued', { input: 1, before }), scheduled(1, 'A')]
  const [, continued] = forkPrefix(events, 'A') ?? []
  expect(continued?.data).toMatchObject({ input: 1 })
  expect(continued?.type === 'run.continued' && continued.data.before).toEqual({
    ...{ started_ms: 1, active_ms: 2, inbox_ids: [] },
    control: { pausedMs: 0, limits: { tokens: 9 }, tokens: 0, costUsd: 0 },
  })
})
