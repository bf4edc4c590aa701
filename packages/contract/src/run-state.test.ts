import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RunEvent, RunEventData, RunEventType } from './event.ts'
import type { Run } from './run.ts'
import { applyEvent, applyToState, emptyRunState } from './run-state.ts'

const time = '2026-01-01T00:00:00.000Z'
const runId = '01890000-0000-7000-8000-000000000001'

function emptyRun(): Run {
  return {
    ...emptyRunState,
    id: runId,
    run_id: runId,
    workflow_id: runId,
    job_id: runId,
    project_id: runId,
    name: 'a run',
    type: 'sample',
    version: '1',
    definition: 'abc',
    priority: 'medium',
    attempt: 1,
    max_retries: 3,
    timeout_seconds: 60,
    created_by: 'user:1',
    created_at: time,
    input: null,
    result: null,
    steps: [],
  }
}

function history() {
  let runSeq = 0
  return function next<T extends RunEventType>(type: T, data: RunEventData[T]): RunEvent {
    runSeq++
    const event = { type, data, seq: 100 + runSeq, run_seq: runSeq, run_id: runId, time }
    // The literal is one member of the union; TypeScript cannot see that through the generic.
    return event as unknown as RunEvent
  }
}

function fold(events: readonly RunEvent[]): Run {
  return events.reduce(applyEvent, emptyRun())
}

const step = { step: 'Fetch', key: 'Fetch', command: 1 }

test('a step with one failed attempt shows both attempts and ends completed', () => {
  const next = history()
  const run = fold([
    next('run.started', {}),
    next('step.scheduled', { ...step, input: { a: 1 }, max_attempts: 3 }),
    next('step.started', { ...step, attempt: 1 }),
    next('step.failed', { ...step, attempt: 1, error: { code: 'no_network', message: 'x' }, retry_at: time }),
    next('step.started', { ...step, attempt: 2 }),
    next('step.completed', { ...step, attempt: 2, output: { ok: true } }),
    next('run.completed', { result: 'done' }),
  ])
  expect(run.status).toBe('completed')
  expect(run.result).toBe('done')
  expect(run.steps_completed).toBe(1)
  expect(run.steps[0]?.attempts.map((attempt) => attempt.status)).toEqual(['failed', 'completed'])
  expect(run.steps[0]?.output).toEqual({ ok: true })
})

test('an attempt cut off by a crash keeps its number when it starts again, and tells of its earlier starts', () => {
  const next = history()
  const run = fold([
    next('step.scheduled', { ...step, input: null, max_attempts: 3 }),
    { ...next('step.started', { ...step, attempt: 1 }), time: '2026-01-01T00:00:01.000Z' },
    { ...next('step.started', { ...step, attempt: 1 }), time: '2026-01-01T00:00:02.000Z' },
    { ...next('step.started', { ...step, attempt: 1 }), time: '2026-01-01T00:00:03.000Z' },
  ])
  expect(run.steps[0]?.attempts).toMatchObject([
    {
      attempt: 1,
      started_at: '2026-01-01T00:00:03.000Z',
      earlier_starts: ['2026-01-01T00:00:01.000Z', '2026-01-01T00:00:02.000Z'],
    },
  ])
})

test('an attempt that was never cut off tells of no earlier start', () => {
  const next = history()
  const run = fold([
    next('step.scheduled', { ...step, input: null, max_attempts: 3 }),
    next('step.started', { ...step, attempt: 1 }),
    next('step.failed', { ...step, attempt: 1, error: { code: 'x', message: 'y' }, retry_at: time }),
    next('step.started', { ...step, attempt: 2 }),
  ])
  expect(run.steps[0]?.attempts.map(({ earlier_starts }) => earlier_starts)).toEqual([undefined, undefined])
})

test('a failure without a next attempt fails the step', () => {
  const next = history()
  const run = fold([
    next('step.scheduled', { ...step, input: null, max_attempts: 1 }),
    next('step.started', { ...step, attempt: 1 }),
    next('step.failed', { ...step, attempt: 1, error: { code: 'x', message: 'y' } }),
    next('run.failed', { reason: 'step_failed', error: { code: 'x', message: 'y' } }),
  ])
  expect(run.steps[0]?.status).toBe('failed')
  expect(run).toMatchObject({ status: 'failed', reason: 'step_failed', error: { code: 'x' } })
})

test('waiting carries its reason, and resuming clears it', () => {
  const next = history()
  const waiting = fold([next('run.waiting', { reason: 'timer', detail: 'until noon', until: time })])
  expect(waiting).toMatchObject({ status: 'waiting', reason: 'timer', waiting_until: time })
  const later = history()
  later('run.waiting', { reason: 'timer' })
  expect(applyEvent(waiting, later('run.resumed', {}))).toMatchObject({ status: 'running', reason: null })
})

test('a timer is a step of its own kind with the time it fires', () => {
  const next = history()
  const run = fold([
    next('timer.started', { timer: 'sleep', command: 1, fire_at: time }),
    next('timer.fired', { timer: 'sleep', command: 1 }),
  ])
  expect(run.steps).toMatchObject([{ kind: 'timer', status: 'completed', fire_at: time }])
})

test('folding an event twice changes nothing', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('run.started', 'run.resumed', 'run.waiting'), { maxLength: 20 }),
      (types) => {
        const next = history()
        const events = types.map((type) => next(type, type === 'run.waiting' ? { reason: 'signal' } : {}))
        const once = fold(events)
        expect(events.reduce(applyEvent, once)).toEqual(once)
      },
    ),
  )
})

test('the state that a list shows is the state of the whole run', () => {
  const next = history()
  const events = [
    next('run.started', {}),
    next('step.scheduled', { ...step, input: null, max_attempts: 3 }),
    next('step.started', { ...step, attempt: 1 }),
    next('run.cancel_requested', { reason: 'enough' }),
    next('step.cancelled', { ...step, attempt: 1 }),
    next('run.cancelled', { reason: 'enough' }),
  ]
  const state = events.reduce((before, event) => applyToState(before, event), emptyRunState)
  expect(fold(events)).toMatchObject({ ...state })
  expect(state).toMatchObject({ status: 'cancelled', cancel_requested: true, steps_total: 1 })
})
