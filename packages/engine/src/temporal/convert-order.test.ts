import { isRunEvent, type RunEvent } from '@kyros/contract/event'
import type { JsonObject } from '@kyros/contract/json'
import { expect, test } from 'vitest'
import { convertHistory } from './convert-history.ts'
import { inOrderOfAsking } from './convert-order.ts'

const runId = '01b8dac5-b533-71c4-90ba-7173ee02a176'
const run = { runId, workflow: 'some', version: '1.0.0', attempt: 1, input: null }

function eventsOf(...said: [type: string, data: JsonObject][]): RunEvent[] {
  return said.flatMap(([type, data], index) => {
    const event: { type: string; run_id?: string; run_seq?: number } = {
      ...{ id: runId, seq: index + 1, run_seq: index + 1, run_id: runId, type, data },
      ...{ subject: `runs/${runId}`, time: '2030-01-01T00:00:00.000Z' },
    }
    return isRunEvent(event) ? [event] : []
  })
}

test('what a fork asks for anew stands where the definition asks for it', () => {
  const events = eventsOf(
    ['run.started', {}],
    ['timer.started', { timer: 'sleep', command: 1, fire_at: '2030-01-01T00:00:01.000Z' }],
    ['step.scheduled', { step: 'First', key: 'First', command: 4, input: null, max_attempts: 1 }],
    ['timer.fired', { timer: 'sleep', command: 1 }],
    ['child.started', { child: 'some', key: 'some', command: 2, run_id: runId, parent_close: 'cancel' }],
    ['child.started', { child: 'some', key: 'some#2', command: 3, run_id: runId, parent_close: 'cancel' }],
    ['step.scheduled', { step: 'First', key: 'First#2', command: 5, input: null, max_attempts: 1 }],
  )
  const order = inOrderOfAsking(events).map(({ type, data }) =>
    'command' in data ? `${type} ${data.command}` : type,
  )
  expect(order).toEqual([
    ...['run.started', 'timer.started 1', 'child.started 2', 'child.started 3', 'step.scheduled 4'],
    ...['timer.fired 1', 'step.scheduled 5'],
  ])
})

test('a run that is cancelled before its start has nothing that Temporal would have heard of', () => {
  const [part] = convertHistory(
    run,
    eventsOf(
      ['run.created', { ...run, definition: 'a', max_retries: 3 }],
      ['run.waiting', { reason: 'concurrency' }],
      ['run.cancel_requested', { reason: 'enough' }],
      ['run.cancelled', { reason: 'enough' }],
    ),
  )
  expect(part?.history.events.map(({ eventType }) => eventType)).toEqual([
    'EVENT_TYPE_WORKFLOW_EXECUTION_STARTED',
  ])
})
