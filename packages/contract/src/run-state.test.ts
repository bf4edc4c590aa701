import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RunEvent, RunEventData, RunEventType } from './event.ts'
import type { Run } from './run.ts'
import { applyEvent, applyToState, blankRun, emptyRunState, foldRun } from './run-state.ts'

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

const command = fc.integer({ min: 1, max: 4 })
const attempt = fc.integer({ min: 1, max: 3 })
const error = fc.constant({ code: 'x', message: 'y' })
const name = fc.constant('Fetch')
const noData = fc.constant({})
const bundle = { definition: fc.constant('def'), version: fc.constant('2') }

/** Any event of a run with data of its shape, in any order: the fold has to stand every history. */
const anyFact: fc.Arbitrary<{ type: RunEventType; data: object }> = fc.oneof(
  ...Object.entries({
    'run.started': noData,
    'run.waiting': fc.record({ reason: fc.constant('timer') }),
    'run.resumed': noData,
    'run.pause_requested': noData,
    'run.resume_requested': noData,
    'run.continued': fc.record({ input: fc.integer(), carried: fc.constant([]), part: attempt, ...bundle }),
    'run.upgraded': fc.record({ from: fc.constant('def'), ...bundle }),
    'run.forked': fc.record({ from_run: name, from_step: name }),
    'run.budget_set': fc.record({ tokens: fc.integer() }),
    'budget.used': fc.record({ tokens: fc.nat(), cost_usd: fc.nat() }),
    'attributes.set': fc.record({ command, attributes: fc.dictionary(fc.string(), fc.boolean()) }),
    'step.scheduled': fc.record({ step: name, key: name, command, max_attempts: attempt }),
    'step.started': fc.record({ command, attempt }),
    'step.completed': fc.record({ command, attempt, output: fc.integer() }),
    'step.failed': fc.record({ command, attempt, error }),
    'step.cancelled': fc.record({ command, attempt }),
    'timer.started': fc.record({ timer: name, command, fire_at: fc.constant(time) }),
    'timer.fired': fc.record({ timer: name, command }),
    'waitpoint.created': fc.record({ waitpoint: name, command, title: name }),
    'waitpoint.completed': fc.record({ waitpoint: name, command, payload: fc.integer() }),
    'waitpoint.expired': fc.record({ waitpoint: name, command }),
    'child.started': fc.record({ child: name, command, run_id: name }),
    'child.failed': fc.record({ child: name, command, run_id: name, error }),
    'update.accepted': fc.record({ update: name, update_id: name, payload: fc.integer() }),
    'run.failed': fc.record({ reason: name, error }),
  }).map(([type, data]) => fc.record({ type: fc.constant(type as RunEventType), data })),
)

const anyHistory = fc.array(anyFact, { maxLength: 60 }).map((facts) => {
  const next = history()
  // The arbitraries above pair each type with data of its shape.
  return facts.map(({ type, data }) => next(type, data as never))
})

test('folding a whole history is folding its events one by one, and changes nothing that was given', () => {
  fc.assert(
    fc.property(anyHistory, fc.nat(60), (events, cut) => {
      const before = fold(events.slice(0, cut))
      const copy = structuredClone(before)
      expect(foldRun(before, events)).toEqual(fold(events))
      expect(before).toEqual(copy)
    }),
    { numRuns: 300 },
  )
})

test('where an event was read makes no difference to its run', () => {
  fc.assert(
    fc.property(anyHistory, (events) => {
      // What any event may say beside its own data.
      const read = events.map((event) => ({ ...event, data: { ...event.data, history: '1/7' } }) as RunEvent)
      expect(fold(read)).toEqual(fold(events))
    }),
  )
})

test('folding one event changes nothing that was given', () => {
  fc.assert(
    fc.property(anyHistory, (events) => {
      let run = emptyRun()
      for (const event of events) {
        const copy = structuredClone(run)
        const next = applyEvent(run, event)
        expect(run).toEqual(copy)
        run = next
      }
    }),
  )
})

test('a run as it was before its first event folds to itself again', () => {
  fc.assert(
    fc.property(anyHistory, (events) => {
      const run = fold(events)
      expect({ ...foldRun(blankRun(run), events), definition: '', version: '' }).toEqual({
        ...run,
        definition: '',
        version: '',
      })
    }),
  )
})

test('waitpoints and children are steps of their own kind', () => {
  const next = history()
  const run = fold([
    next('waitpoint.created', { waitpoint: 'approve', command: 1, title: 'Ship it?', expires_at: time }),
    next('waitpoint.completed', { waitpoint: 'approve', command: 1, payload: { ok: true } }),
    next('child.started', { child: 'order', key: 'one', command: 2, run_id: runId, parent_close: 'cancel' }),
    next('child.failed', { child: 'order', command: 2, run_id: runId, error: { code: 'x', message: 'y' } }),
  ])
  expect(run.steps).toMatchObject([
    { kind: 'waitpoint', name: 'approve', title: 'Ship it?', status: 'completed', output: { ok: true } },
    { kind: 'child', name: 'order', key: 'one', child_run_id: runId, status: 'failed', error: { code: 'x' } },
  ])
})

test('a run that continues as new keeps what belongs to the run and begins its steps again', () => {
  const next = history()
  const run = fold([
    next('run.started', {}),
    next('attributes.set', { command: 1, attributes: { city: 'Oslo' } }),
    next('step.scheduled', { ...step, command: 2, input: null, max_attempts: 1 }),
    next('step.completed', { ...step, command: 2, attempt: 1, output: 1 }),
    next('run.continued', { input: 2, definition: 'new', version: '2', carried: [], part: 1 }),
  ])
  expect(run).toMatchObject({
    continued: 1,
    steps: [],
    steps_total: 0,
    steps_completed: 0,
    definition: 'new',
  })
  expect(run.attributes).toEqual({ city: 'Oslo' })
})

test('what is used of a budget adds up, also over a new limit', () => {
  const next = history()
  const run = fold([
    next('budget.used', { tokens: 10 }),
    next('run.budget_set', { tokens: 100, time_ms: 5 }),
    next('budget.used', { tokens: 5, cost_usd: 0.5 }),
  ])
  expect(run.budget).toEqual({ tokens: 100, time_ms: 5, used_tokens: 15, used_cost_usd: 0.5 })
})
