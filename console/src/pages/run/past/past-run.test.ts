import type { Run } from '@kyros/contract/run'
import { blankRun } from '@kyros/contract/run-state'
import { expect, test } from 'vitest'
import type { LoggedEvent } from '../../../api/queries.ts'
import { eventWords, pastRun } from './past-run.ts'

const step = { step: 'Fill', key: 'Fill', command: 1 }
const reference = { $blob: 'a'.repeat(64), bytes: 70_000 }

const told: [string, LoggedEvent['data']][] = [
  ['run.created', { workflow: 'fill', definition: 'old', version: '1.0.0' }],
  ['run.started', {}],
  ['step.scheduled', { ...step, input: { bytes: 70_000 }, max_attempts: 1 }],
  ['step.started', { ...step, attempt: 1 }],
  ['step.completed', { ...step, attempt: 1, output: reference }],
  ['run.upgraded', { definition: 'new', version: '2.0.0', from: 'old' }],
  ['run.completed', { result: reference }],
]
const events = told.map(([type, data], index): LoggedEvent => {
  const time = `2026-01-01T00:00:0${index}.000Z`
  return { id: '', seq: index + 10, run_seq: index + 1, type, subject: 'runs/r', run_id: 'r', time, data }
})

/** The run of now, whose large values the server has put in. */
function present(): Run {
  // Only the fields that the fold does not make.
  const fixed = { id: 'r', definition: 'new', version: '2.0.0', created_at: events[0]?.time } as Run
  const run = pastRun({ ...blankRun(fixed), run_seq: 99 }, events, events.length)
  const steps = run.steps.map((entry) => ({ ...entry, output: { text: 'long' } }))
  return { ...run, definition: 'new', version: '2.0.0', result: { text: 'long' }, steps }
}

test('a run is what its first events say, on the bundle of then', () => {
  const past = pastRun(present(), events, 4)
  expect(past).toMatchObject({ status: 'running', definition: 'old', version: '1.0.0', result: null })
  expect(past.steps).toMatchObject([{ status: 'running', output: null, completed_at: null }])
})

test('large values are those that the run of now shows', () => {
  expect(pastRun(present(), events, 5).steps[0]?.output).toEqual({ text: 'long' })
  expect(pastRun(present(), events, 7)).toMatchObject({ result: { text: 'long' }, definition: 'new' })
})

test('an event is told in a few words', () => {
  expect(events.map(eventWords)).toContain('step.completed · Fill · try 1')
})
