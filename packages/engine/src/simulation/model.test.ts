import type { Event } from '@kyros/contract/event'
import { expect, test } from 'vitest'
import { checkRun, type ObservedRun } from './model.ts'

type Draft = [type: string, data?: Event['data'], atMs?: number]

/** A log with dense numbers; times are those given, else one millisecond apart. */
function logOf(...drafts: Draft[]): Event[] {
  return drafts.map(([type, data = {}, atMs], index) => ({
    id: `event-${index}`,
    seq: 10 * (index + 1),
    run_seq: index + 1,
    type,
    subject: 'runs/r',
    run_id: 'r',
    time: new Date(atMs ?? 1000 + index).toISOString(),
    data,
  }))
}

const step = { step: 'First', key: 'First', command: 1 }
const created: Draft = ['run.created']
const started: Draft = ['run.started']
const scheduled: Draft = ['step.scheduled', { ...step, max_attempts: 2 }]
const attempt = (number: number, atMs?: number): Draft => ['step.started', { ...step, attempt: number }, atMs]
const stepDone: Draft = ['step.completed', { ...step, attempt: 1, output: 'out' }]
const done: Draft = ['run.completed', { result: null }]
const failedOnce: Draft = ['step.failed', { ...step, attempt: 1, retry_at: new Date(5000).toISOString() }]
const whole = [created, started, scheduled, attempt(1), stepDone, done]
const timer: Draft = ['timer.started', { timer: 'sleep', command: 1, fire_at: new Date(9000).toISOString() }]

const rulesOf = (observed: Omit<ObservedRun, 'runId'>) =>
  checkRun({ runId: 'r', ...observed }).map(({ kind, rule }) => `${kind}: ${rule}`)

test('a history without fault passes, with all that is known of it', () => {
  const signalled = [
    ...whole.slice(0, -1),
    ['signal.received', { signal: 'go', payload: 7 }],
    done,
  ] as Draft[]
  const rules = rulesOf({
    events: logOf(...signalled),
    record: { status: 'completed', run_seq: 7, steps_completed: 1 },
    start: 'acknowledged',
    signals: [{ signal: 'go', payload: 7, told: 'acknowledged' }],
    effects: [{ key: 'First', attempt: 1, afterRunSeq: 4, output: 'out' }],
    mustHaveEnded: true,
  })
  expect(rules).toEqual([])
})

test('an attempt that a crash cut off may begin again under its number, and be called again', () => {
  const events = logOf(created, started, scheduled, attempt(1), attempt(1), stepDone, done)
  const call = { key: 'First', attempt: 1 }
  expect(rulesOf({ events, effects: [call, call] })).toEqual([])
})

test('a step may run out of its time between two attempts', () => {
  const error = { code: 'step_timed_out', message: 'The step took longer than 5 ms in all.' }
  const outOfTime: Draft = ['step.failed', { ...step, attempt: 1, error }]
  const events = logOf(created, started, scheduled, attempt(1), failedOnce, outOfTime, done)
  expect(
    rulesOf({ events: events.map((event) => ({ ...event, time: new Date(5000).toISOString() })) }),
  ).toEqual([])
})

test('what a fork took over happened in another run', () => {
  const answer: Draft = ['waitpoint.completed', { waitpoint: 'answer', command: 2, payload: 1 }]
  const asked: Draft = ['waitpoint.created', { waitpoint: 'answer', command: 2 }]
  const taken: Draft[] = [['run.forked'], started, scheduled, attempt(1), asked, stepDone, answer]
  const cancelled: Draft = ['run.cancel_requested', { reason: '' }]
  const events = logOf(created, ...taken, cancelled, done)
  const known = { events, answers: [], cancels: [], signals: [], effects: [] }
  expect(rulesOf({ ...known, copied: 9 })).toEqual([])
  expect(rulesOf({ ...known, copied: 1 })).toEqual([
    'wrong: cancellation',
    'wrong: waitpoints',
    'wrong: effects',
  ])
})

test('a run that continued as new begins its commands and keys again', () => {
  const again = [...whole.slice(2, 5), ['run.continued'], ...whole.slice(2)] as Draft[]
  const call = { key: 'First', attempt: 1 }
  const effects = [
    { ...call, afterRunSeq: 4 },
    { ...call, afterRunSeq: 8 },
  ]
  expect(rulesOf({ events: logOf(created, started, ...again), effects })).toEqual([])
})

const broken: [name: string, rule: string, drafts: Draft[]][] = [
  ['a second creation', 'doubled: creation', [created, created]],
  ['a log that begins without creation', 'wrong: creation', [started]],
  [
    'an event after the end',
    'wrong: nothing after the end',
    [...whole, ['run.waiting', { reason: 'timer' }]],
  ],
  ['two ends', 'doubled: one end', [...whole, done]],
  ['two starts', 'doubled: one start', [created, started, started]],
  ['a step before the start', 'wrong: order', [created, scheduled]],
  ['a step scheduled twice', 'doubled: one beginning', [created, started, scheduled, scheduled]],
  [
    'commands out of order',
    'wrong: commands in order',
    [created, started, ['timer.started', { ...timer[1], command: 2 }], scheduled],
  ],
  [
    'a key used twice',
    'doubled: one step per key',
    [created, started, scheduled, ['step.scheduled', { ...step, command: 2, max_attempts: 1 }]],
  ],
  [
    'a completed step that starts again',
    'doubled: nothing after its end',
    [...whole.slice(0, -1), attempt(2)],
  ],
  ['a step completed twice', 'doubled: nothing after its end', [...whole.slice(0, -1), stepDone]],
  [
    'a result without an attempt',
    'wrong: order',
    [created, started, scheduled, ['step.completed', { ...step, attempt: 0 }]],
  ],
  [
    'a result of another attempt',
    'wrong: attempts are numbered',
    [...whole.slice(0, 4), ['step.completed', { ...step, attempt: 2 }]],
  ],
  ['a skipped attempt', 'wrong: attempts are numbered', [created, started, scheduled, attempt(2)]],
  [
    'a retry that begins as the attempt before',
    'doubled: attempts are numbered',
    [...whole.slice(0, 4), failedOnce, attempt(1, 6000)],
  ],
  [
    'more attempts than the policy',
    'wrong: attempts are bounded',
    [
      created,
      started,
      ['step.scheduled', { ...step, max_attempts: 1 }],
      attempt(1),
      failedOnce,
      attempt(2, 6000),
    ],
  ],
  ['an early retry', 'wrong: retries are not early', [...whole.slice(0, 4), failedOnce, attempt(2, 4000)]],
  [
    'an early timer',
    'wrong: timers are not early',
    [created, started, timer, ['timer.fired', { timer: 'sleep', command: 1 }, 8999]],
  ],
  [
    'a timer that fires twice',
    'doubled: nothing after its end',
    [created, started, timer, ['timer.fired', { command: 1 }, 9000], ['timer.fired', { command: 1 }, 9001]],
  ],
  ['a timer that was never set', 'wrong: order', [created, started, ['timer.fired', { command: 1 }]]],
  ['a step that is left open', 'wrong: nothing left open', [...whole.slice(0, 4), done]],
  ['times that go back', 'wrong: times do not go back', [created, ['run.started', {}, 1]]],
  [
    'a cancellation that nobody asked for',
    'wrong: cancellation',
    [created, started, ['run.cancelled', { reason: '' }]],
  ],
  ['a run that does not end', 'lost: end', whole.slice(0, -1)],
  [
    'an update answered twice',
    'doubled: one answer',
    [
      created,
      started,
      ['update.accepted', { update_id: 'u' }],
      ['update.completed', { update_id: 'u' }],
      ['update.failed', { update_id: 'u' }],
    ],
  ],
  [
    'an update answered that was not accepted',
    'wrong: order',
    [created, started, ['update.completed', { update_id: 'u' }]],
  ],
]

test.each(broken)('%s is found', (_name, rule, drafts) => {
  expect(rulesOf({ events: logOf(...drafts), mustHaveEnded: rule === 'lost: end' })).toEqual([rule])
})

test('holes and repetitions in the numbers are found', () => {
  const [first, second, third] = logOf(created, started, scheduled)
  if (first === undefined || second === undefined || third === undefined) throw new Error('three events')
  expect(rulesOf({ events: [first, third] })).toContain('wrong: dense run_seq')
  expect(rulesOf({ events: [first, { ...second, seq: first.seq }] })).toEqual(['wrong: growing seq'])
})

test('what was acknowledged must be there, and what was refused must not', () => {
  const events = logOf(...whole)
  const go = { signal: 'go', payload: 1 }
  expect(rulesOf({ events: [], start: 'acknowledged' })).toEqual(['lost: start'])
  expect(rulesOf({ events: [], start: 'unknown' })).toEqual([])
  expect(rulesOf({ events, start: 'refused' })).toEqual(['wrong: start'])
  expect(rulesOf({ events, signals: [{ ...go, told: 'acknowledged' }] })).toEqual(['lost: signals'])
  expect(rulesOf({ events, signals: [{ ...go, told: 'acknowledged', byInbox: true }] })).toEqual([])
  expect(rulesOf({ events, signals: [{ ...go, told: 'unknown' }] })).toEqual([])
  expect(rulesOf({ events, cancels: [{ told: 'acknowledged' }] })).toEqual(['lost: cancellation'])
  expect(rulesOf({ events, cancels: [{ told: 'unknown' }] })).toEqual([])
})

test('a signal is received once, and only when somebody sent it', () => {
  const go: Draft = ['signal.received', { signal: 'go', payload: 1 }]
  const sent = { signal: 'go', payload: 1 }
  const once = logOf(created, started, go)
  expect(rulesOf({ events: once, signals: [{ ...sent, told: 'unknown' }] })).toEqual([])
  expect(rulesOf({ events: once, signals: [{ ...sent, told: 'refused' }] })).toEqual(['wrong: signals'])
  expect(rulesOf({ events: once, signals: [] })).toEqual(['wrong: signals'])
  const twice = logOf(created, started, go, go)
  expect(rulesOf({ events: twice, signals: [{ ...sent, told: 'unknown' }] })).toEqual(['doubled: signals'])
})

test('a call needs a start of its own on disk and a step that has not ended', () => {
  const events = logOf(...whole)
  const call = { key: 'First', attempt: 1 }
  expect(rulesOf({ events, effects: [call, call] })).toEqual(['doubled: steps'])
  expect(rulesOf({ events, effects: [] })).toEqual(['wrong: effects'])
  expect(rulesOf({ events, effects: [{ ...call, afterRunSeq: 3 }] })).toEqual(['wrong: effects'])
  expect(rulesOf({ events, effects: [{ ...call, afterRunSeq: 5 }] })).toEqual(['doubled: steps'])
  expect(rulesOf({ events, effects: [{ ...call, output: 'other' }] })).toEqual(['wrong: outputs'])
})

test('after a cancellation only what is shielded begins', () => {
  const cancelled: Draft = ['run.cancel_requested', { reason: '' }]
  const events = logOf(created, started, cancelled, scheduled)
  expect(rulesOf({ events, isShielded: () => false })).toEqual(['wrong: cancellation is honoured'])
  expect(rulesOf({ events, isShielded: () => true })).toEqual([])
})

test('the projection is compared with the log', () => {
  const events = logOf(...whole)
  const record = { status: 'running', run_seq: 6, steps_completed: 1 }
  expect(rulesOf({ events, record })).toEqual(['wrong: projection'])
})
