import type { NewRunEvent } from '@kyros/store/command'
import { expect, test } from 'vitest'
import type { Fact, HistoryFact, InlineEnding } from './history-facts.ts'
import { RunProjection } from './run-projection.ts'
import { type LiveFacts, type StepMeta, signals } from './start-facts.ts'

const before = { definition: 'd', timeoutSeconds: 60 }
const live: LiveFacts = {
  principal: { id: 'user:one', role: 'operator' },
  ...{ priority: 3, secret: '00', keyId: 'key', depth: 0, definition: 'd' },
}
const sleepMs = 50

/** What a cluster writes at once; two reads never part it. */
type Batch = HistoryFact[]

/** A history of one part, each fact one millisecond after the one before. */
class Part {
  readonly batches: Batch[] = []
  #id = 0

  heard(fact: Fact): number {
    this.batches.push([this.#next(fact, undefined)])
    return this.#id
  }

  /** A workflow task with its commands; gives the ids of these. */
  task(...commands: Fact[]): number[] {
    this.heard({ kind: 'other' })
    this.heard({ kind: 'task_started' })
    const completed = this.#next({ kind: 'task_completed' }, undefined)
    const rest = commands.map((fact) =>
      this.#next(fact, fact.kind.startsWith('update_') ? undefined : completed.id),
    )
    this.batches.push([completed, ...rest])
    return rest.map(({ id }) => id)
  }

  /** A task that the core ends while a local activity is under way, and goes on with. */
  extended(...commands: Fact[]): void {
    this.task(...commands)
    const goesOn: Fact[] = [{ kind: 'other' }, { kind: 'task_started', goesOn: true }]
    this.batches.at(-1)?.push(...goesOn.map((fact) => this.#next(fact, undefined)))
    const completed = this.#next({ kind: 'task_completed' }, undefined)
    this.batches.push([completed])
  }

  #next(fact: Fact, taskId: number | undefined): HistoryFact {
    this.#id += 1
    return { id: this.#id, timeMs: this.#id, taskId, fact }
  }
}

function step(command: number, attempt: number) {
  const meta: StepMeta = {
    ...{ run_id: 'run', workflow: 'w', step: 'Work', key: 'Work', command, attempt, max_attempts: 3 },
    ...{ cuts: 0, missing: 0, principal: live.principal, start_to_close_ms: 1000 },
  }
  return { kind: 'step_scheduled', input: { command }, meta } satisfies Fact
}

function inline(command: number, attempt: number, ending: InlineEnding, times: [number, number]): Fact {
  const { input, meta } = step(command, attempt)
  const [startedMs, endedMs] = times
  return { kind: 'step_inline', input, meta: { ...meta, mode: 'inline' }, startedMs, endedMs, ending }
}

const timer = (name: string, command: number): Fact => ({
  kind: 'timer_started',
  ...{ name, command, fireAtMs: sleepMs },
})

const signaled = (signal: string, payload: string | null, actor: string): Fact => ({
  kind: 'signaled',
  ...{ signal, payload, meta: { actor } },
})

const waitpoint: Fact = {
  kind: 'noted',
  note: { kind: 'waitpoint', command: 3, name: 'approval', expires_at: '2026-01-01T00:00:00.000Z' },
}

const child: Fact = {
  kind: 'child_asked',
  ...{ runId: 'child', workflow: 'below', input: null, timeoutSeconds: 60 },
  meta: { key: 'below', command: 4, parent_close: 'request_cancel', definition: 'd' },
  started: { attempt: 1, version: '1.0.0', live },
}

/** A step that is tried again, and what is asked for at once while the run is paused; the next pause stays. */
function firstPart(): Batch[] {
  const part = new Part()
  part.heard({ kind: 'started', input: 'in', started: { attempt: 1, version: '1.0.0', live } })
  const [failed = 0] = part.task(step(1, 1))
  const error = { code: 'step_error', message: 'It broke.' }
  part.heard({ kind: 'step_ended', scheduledId: failed, ending: { kind: 'failed', error } })
  const [retry = 0] = part.task(timer('retry', 1))
  part.heard({ kind: 'timer_fired', startedId: retry })
  const [again = 0] = part.task(step(1, 2))
  part.heard({ kind: 'step_ended', scheduledId: again, ending: { kind: 'completed', result: 'out' } })
  const [sleep = 0, , expiry = 0, asked = 0] = part.task(
    ...[timer('sleep', 2), waitpoint, timer('expiry', 3), child],
  )
  part.heard(signaled(signals.pause, null, 'user:one'))
  part.heard({ kind: 'timer_fired', startedId: sleep })
  part.task()
  part.heard({ kind: 'timer_fired', startedId: expiry })
  part.heard(signaled(signals.resume, null, 'user:one'))
  part.task()
  part.heard({ kind: 'child_ended', initiatedId: asked, ending: { kind: 'completed', result: 1 } })
  const payload = { kind: 'update_accepted' as const, update: 'set', updateId: 'u', payload: 1, meta: {} }
  const [accepted = 0] = part.task(payload, { kind: 'noted', note: { kind: 'conditions', count: 1 } })
  part.task({ kind: 'update_ended', acceptedId: accepted, ending: { kind: 'completed', result: 2 } })
  part.heard(signaled('hello', 'there', 'user:two'))
  part.heard(signaled(signals.pause, null, 'user:two'))
  part.heard(signaled(signals.cancel, 'It is too late.', 'user:four'))
  part.task({ kind: 'continued', newRunId: 'next' })
  return part.batches
}

function secondPart(): Batch[] {
  const part = new Part()
  const paused = { by: 'user:two' }
  const carried = [{ signal: 'hello', payload: 'there' }]
  part.heard({
    ...{ kind: 'started', input: 'in' },
    started: {
      ...{ attempt: 1, version: '1.0.0', part: 1, carried },
      live: { ...live, paused, cancelReason: 'It is too late.', cancelActor: 'user:four' },
    },
  })
  const [sleep = 0] = part.task(timer('sleep', 1))
  part.heard({ kind: 'timer_fired', startedId: sleep })
  part.task()
  part.heard(signaled(signals.resume, null, 'user:two'))
  part.heard(signaled(signals.pause, null, 'user:three'))
  part.heard(signaled(signals.resume, null, 'user:three'))
  const [scheduled = 0] = part.task(step(2, 1))
  part.heard({ kind: 'cancel_requested', reason: 'another reason', actor: 'kyros' })
  part.task({ kind: 'step_cancelled', scheduledId: scheduled }, { kind: 'cancelled' })
  return part.batches
}

const parts = [firstPart(), secondPart()]

function read(projection: RunProjection, batches: Batch[]): NewRunEvent[] {
  return projection.take(batches.flat()).events
}

/** One projection that reads batch by batch. */
function wholeLog(): NewRunEvent[] {
  const projection = new RunProjection(before)
  return parts.flat().flatMap((batch) => read(projection, [batch]))
}

function placeOf({ data }: NewRunEvent): [number, number] {
  const [part = 0, id = 0] = 'history' in data ? `${data.history}`.split('/').map(Number) : []
  return [part, id]
}

const ofFirst = [
  'run.started',
  'step.scheduled',
  'step.started',
  'step.failed',
  'step.started',
  'step.completed',
  'timer.started',
  'waitpoint.created',
  'child.started',
  'run.waiting',
  'run.pause_requested',
  'run.waiting',
  'run.resume_requested',
  'timer.fired',
  'waitpoint.expired',
  'run.waiting',
  'child.completed',
  'update.accepted',
  'run.waiting',
  'update.completed',
  'signal.received',
  'run.pause_requested',
  'run.resumed',
]
const ofSecond = [
  'run.continued',
  'timer.started',
  'run.waiting',
  'run.resume_requested',
  'timer.fired',
  'run.pause_requested',
  'run.resume_requested',
  'step.scheduled',
  'step.started',
  'run.resumed',
  'run.cancel_requested',
  'step.cancelled',
  'run.cancelled',
]

test('a history is told in its order, each thing once, with the pause of the part before', () => {
  const log = wholeLog()
  const places = log.map(placeOf).map(([part, id]) => part * 1000 + id)
  expect(places).toEqual(places.toSorted((a, b) => a - b))
  expect(log.map(({ type }) => type)).toEqual([...ofFirst, ...ofSecond])
  const [waits] = log.filter((event) => event.type === 'run.waiting' && placeOf(event)[0] === 1)
  expect(waits?.data).toMatchObject({ reason: 'paused', detail: 'Paused by user:two.' })
  expect(log.at(-1)?.data).toMatchObject({ reason: 'It is too late.' })
  const asked = log.find(({ type }) => type === 'run.cancel_requested')
  expect(asked).toMatchObject({ actor: 'user:four', data: { reason: 'It is too late.' } })
})

test('the events are the same wherever the history is cut into reads', () => {
  const log = wholeLog()
  const batches = parts.flat()
  for (let first = 0; first < batches.length; first++) {
    for (let second = first; second < batches.length; second++) {
      const projection = new RunProjection(before)
      const cuts = [batches.slice(0, first), batches.slice(first, second), batches.slice(second)]
      expect(cuts.flatMap((cut) => read(projection, cut))).toEqual(log)
    }
  }
})

test('a projection that begins at a later part tells it as the one that read all before', () => {
  const log = wholeLog()
  for (const [part, batches] of parts.entries()) {
    const own = log.filter((event) => placeOf(event)[0] === part)
    expect(read(new RunProjection(before), batches)).toEqual(own)
  }
})

test('whoever reads a part again after any of its events adds just what is missing', () => {
  const log: NewRunEvent[] = []
  for (const [part, batches] of parts.entries()) {
    for (let length = 1; length <= batches.length; length++) {
      const [lastPart, lastId] = placeOf(log.at(-1) ?? { type: 'run.started', timeMs: 0, data: {} })
      const events = read(new RunProjection(before), batches.slice(0, length))
      log.push(...events.filter((event) => part > lastPart || placeOf(event)[1] > lastId))
    }
  }
  expect(log).toEqual(wholeLog())
})

const failedOnce: InlineEnding = { kind: 'failed', error: { code: 'step_error', message: 'It broke.' } }
const done: InlineEnding = { kind: 'completed', result: 'out' }

function toldOf(...commands: Fact[]): NewRunEvent[] {
  const part = new Part()
  part.heard({ kind: 'started', input: 'in', started: { attempt: 1, version: '1.0.0', live } })
  part.task(...commands)
  return read(new RunProjection(before), part.batches).filter(({ type }) => type !== 'run.started')
}

test('a local activity is told at its end, with times that lie within its task', () => {
  const events = toldOf(inline(1, 1, done, [3, 4]), inline(2, 1, done, [1, 9000]))
  expect(events.map(({ type, timeMs, data }) => [type, timeMs, 'command' in data && data.command])).toEqual([
    ['step.scheduled', 3, 1],
    ['step.started', 3, 1],
    ['step.completed', 4, 1],
    ['step.scheduled', 4, 2],
    ['step.started', 4, 2],
    ['step.completed', 6, 2],
    ['run.waiting', 6, false],
  ])
  expect(events[0]?.data).toMatchObject({ mode: 'inline', start_to_close_ms: 1000, input: { command: 1 } })
})

test.each<[string, Fact[], string[]]>([
  ['later', [inline(1, 1, failedOnce, [1, 2]), timer('retry', 1)], ['step.failed']],
  ['at once', [inline(1, 1, failedOnce, [1, 2]), step(1, 2)], ['step.failed', 'step.started']],
  [
    'once it may',
    [inline(1, 1, failedOnce, [1, 2]), { kind: 'noted', note: { kind: 'retry', command: 1 } }],
    ['step.failed'],
  ],
])('a local activity that failed says that it is tried again %s', (_when, commands, expected) => {
  const events = toldOf(...commands)
  expect(events.map(({ type }) => type)).toEqual(['step.scheduled', 'step.started', ...expected])
  expect(events[2]?.data).toMatchObject({ retry_at: expect.any(String) })
})

test('what ended as a local activity without an end begins again as another', () => {
  const again = { ...step(1, 1), meta: { ...step(1, 1).meta, cuts: 1 } }
  const cut = toldOf(inline(1, 1, { kind: 'cut' }, [1, 2]), again)
  expect(cut.map(({ type }) => type)).toEqual(['step.scheduled', 'step.started', 'step.started'])
  const elsewhere = toldOf(inline(1, 1, { kind: 'elsewhere' }, [1, 2]), step(1, 1))
  expect(elsewhere.map(({ type }) => type)).toEqual(['step.scheduled', 'step.started'])
})

test('a local activity that its run left is told once, whether it was cancelled or not', () => {
  const { input, meta } = step(1, 1)
  const left: Fact = { kind: 'noted', note: { kind: 'inline', input, meta } }
  const cancelled = inline(1, 1, { kind: 'cancelled' }, [1, 2])
  const end: Fact = { kind: 'completed', result: null }
  const told = ['step.scheduled', 'step.started', 'step.cancelled', 'run.completed']
  for (const commands of [[left], [cancelled], [left, cancelled], [cancelled, left]])
    expect(toldOf(...commands, end).map(({ type }) => type)).toEqual(told)
})

test('a part whose beginning the log has already says nothing of it, and tells the next one by itself', () => {
  const part = new Part()
  const started = { attempt: 1, version: '1', part: 4, moved: true as const, live }
  part.heard({ kind: 'started', input: null, started })
  part.task(step(1, 1))
  const projection = new RunProjection(before)
  const taken = part.batches.flatMap((batch) => projection.take(batch).events)
  expect(taken.map(({ type, data }) => [type, 'history' in data && data.history])).toEqual([
    ['step.scheduled', '4/5'],
    ['step.started', '4/5'],
  ])
  const next = new Part()
  next.heard({ kind: 'started', input: 7, started: { attempt: 1, version: '1', part: 5, live } })
  const [continued] = next.batches.flatMap((batch) => projection.take(batch).events)
  expect(continued).toMatchObject({ type: 'run.continued', data: { part: 5, input: 7, history: '5/1' } })
})

test('a run does not wait while its task goes on for a local activity', () => {
  const part = new Part()
  part.heard({ kind: 'started', input: 'in', started: { attempt: 1, version: '1.0.0', live } })
  part.task({ kind: 'noted', note: { kind: 'conditions', count: 1 } })
  part.heard(signaled('go', null, 'user:one'))
  part.extended({ kind: 'noted', note: { kind: 'conditions', count: 0 } })
  const log = read(new RunProjection(before), part.batches)
  expect(log.map(({ type }) => type)).toEqual([
    ...['run.started', 'run.waiting', 'signal.received', 'run.resumed', 'run.waiting'],
  ])
  const projection = new RunProjection(before)
  expect(part.batches.flatMap((batch) => read(projection, [batch]))).toEqual(log)
})
