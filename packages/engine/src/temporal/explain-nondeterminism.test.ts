import { expect, test } from 'vitest'
import type { TemporalEvent } from './convert-history.ts'
import { explainNondeterminism } from './explain-nondeterminism.ts'

const eventTime = '2030-01-01T00:00:00.000Z'
const events: TemporalEvent[] = [
  {
    ...{ eventId: '5', eventTime, eventType: 'EVENT_TYPE_ACTIVITY_TASK_SCHEDULED' },
    activityTaskScheduledEventAttributes: { activityId: 'First', activityType: { name: 'First' } },
  },
  { eventId: '6', eventTime, eventType: 'EVENT_TYPE_TIMER_STARTED', timerStartedEventAttributes: {} },
]
const error = '[TMPRL1100] Nondeterminism error: '

test.each([
  [
    `${error}Activity id of scheduled event 'First' does not match activity id of activity command 'Second'`,
    'The history holds step First (event 5), the definition asks for step Second.',
  ],
  [
    `${error}Activity type of scheduled event 'Third' does not match activity type of activity command 'First'`,
    'The history holds step Third, the definition asks for step First.',
  ],
  [
    `${error}Activity type of recorded marker 'Third' does not match activity type of local activity command 'First'`,
    'The history holds step Third, the definition asks for step First.',
  ],
  [
    `${error}Child workflow id of scheduled event 'a/one' does not match child workflow id of command 'a/two'`,
    'The history holds child one, the definition asks for child two.',
  ],
  [
    `${error}Timer machine does not handle this event: HistoryEvent(id: 5, ActivityTaskScheduled)`,
    'The history holds step First (event 5), the definition asks for a timer.',
  ],
  [
    `${error}ModifyWorkflowPropertiesMachine does not handle HistoryEvent(id: 6, TimerStarted)`,
    'The history holds a timer (event 6), the definition asks for a waitpoint or attributes.',
  ],
  [
    `${error}No command scheduled for event HistoryEvent(id: 6, TimerStarted)`,
    'The history holds a timer (event 6), the definition asks for nothing.',
  ],
  [
    'Replay failed due workflow task failure. Details: Failure { failure: Some(Failure { message: "not a function", source: "x" }) }',
    'The definition throws where the history goes on: not a function',
  ],
  [
    `Failure { message: "${error}Complete workflow machine does not handle this event: HistoryEvent(id: 6, TimerStarted)", source: "" }`,
    'The history holds a timer (event 6), the definition asks for the end of the run.',
  ],
  [
    `${error}Child workflow machine does not handle this event: HistoryEvent { event_id: 6, event_time: None }`,
    'The history holds a timer (event 6), the definition asks for a child.',
  ],
  ['Something else.', 'Something else.'],
])('%s is said in our words', (message, expected) => {
  expect(explainNondeterminism(message, events)).toBe(expected)
})
