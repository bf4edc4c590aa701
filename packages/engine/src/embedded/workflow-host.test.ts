import type { Json } from '@kyros/contract/json'
import type { WorkflowContext } from '@kyros/workflows/define'
import type { StepImplementation } from '@kyros/workflows/step-context'
import { expect, test } from 'vitest'
import { PaperEngine, paperRunId } from './paper-engine.ts'

type Step = StepImplementation<Json, Json>
type Steps = { First: Step; Second: Step; Third: Step; Undo: Step }
type Context = WorkflowContext<Steps>

const define = (run: (context: Context, input: Json) => Promise<unknown>) => ({
  name: 'paper',
  version: '1',
  run,
})
const start = (run: (context: Context, input: Json) => Promise<unknown>, input: Json = null) =>
  PaperEngine.start(define(run), input)

const completed = (result: Json) => ({ kind: 'completed', result })

test('a step has the options of its call, over those of its definition', async () => {
  const run = ({ step }: Context) =>
    step.First(1, {
      scheduleToCloseMs: 5000,
      mode: 'inline',
      queue: 'gpu',
      concurrencyKey: 'a:1',
      priority: 2,
    })
  const stepDefaults = { First: { queue: 'cpu', startToCloseMs: 100, retry: { maxAttempts: 7 } } }
  const paper = await PaperEngine.start({ ...define(run), stepDefaults })
  expect(paper.asked).toMatchObject([
    {
      step: 'First',
      options: {
        ...{ startToCloseMs: 100, scheduleToCloseMs: 5000, maxAttempts: 7 },
        ...{ mode: 'inline', queue: 'gpu', concurrencyKey: 'a:1', priority: 2 },
      },
    },
  ])
})

test.each([
  [{ startToCloseMs: 0 }, 'startToCloseMs'],
  [{ scheduleToCloseMs: Number.NaN }, 'scheduleToCloseMs'],
  [{ priority: 9 as 5 }, 'priority'],
])('the step option %j blocks the run', async (options, says) => {
  const paper = await start(({ step }) => step.First(1, options))
  expect(paper.outcome).toMatchObject({ kind: 'blocked', detail: expect.stringContaining(says) })
})

test.each<[string, number | Date | string, number]>([
  ['milliseconds', 5000, 5000],
  ['a Date', new Date(1_700_000_000_010 + 7000), 7000],
  ['a time', new Date(1_700_000_000_010 + 9000).toISOString(), 9000],
  ['a moment that has passed', new Date(0), 0],
])('a run sleeps for %s', async (_name, until, durationMs) => {
  const paper = await start(({ sleep }) => sleep(until))
  expect(paper.asked).toMatchObject([{ kind: 'timer', name: 'sleep', durationMs }])
  await paper.fire('sleep')
  expect(paper.outcome).toMatchObject(completed(null))
})

test('a waitpoint is asked for at once and answered later', async () => {
  const paper = await start(async ({ waitpoint, step }) => {
    const approval = waitpoint<{ ok: boolean }>('approve', { title: 'Ship it?', timeoutMs: 1000 })
    await step.First(approval.path)
    return (await approval.completed).ok
  })
  expect(paper.asked).toMatchObject([
    { kind: 'waitpoint', name: 'approve', title: 'Ship it?', timeoutMs: 1000 },
    { kind: 'step', input: `/api/v1/waitpoints/${paperRunId}.1` },
  ])
  await paper.answer('approve', { ok: true })
  await paper.step('First', null)
  expect(paper.outcome).toEqual(completed(true))
  expect(await paper.divergences()).toEqual([])
})

test('a waitpoint that nobody answers throws where it is waited for', async () => {
  const paper = await start(({ waitpoint }) => waitpoint('approve', { timeoutMs: 10 }).completed)
  await paper.expire('approve')
  expect(paper.outcome).toMatchObject({
    kind: 'failed',
    reason: 'workflow_failed',
    error: { code: 'waitpoint_expired' },
  })
})

test('a child gives its result, and its failure', async () => {
  const paper = await start(async ({ child }) => {
    const first = await child('order', { id: 1 }, { parentClose: 'abandon', timeoutSeconds: 60 })
    await child('order', { id: 2 })
    return first
  })
  const common = { kind: 'child', workflow: 'order' }
  expect(paper.asked).toMatchObject([
    { ...common, key: 'order', input: { id: 1 }, parentClose: 'abandon', timeoutSeconds: 60 },
  ])
  await paper.completeChild('order', 'one')
  expect(paper.asked[1]).toMatchObject({ ...common, key: 'order#2', parentClose: 'request_cancel' })
  await paper.failChild('order', 'out_of_stock')
  expect(paper.outcome).toMatchObject({
    kind: 'failed',
    reason: 'child_failed',
    error: { code: 'out_of_stock' },
  })
  expect(await paper.divergences()).toEqual([])
})

test.each([0, Number.NaN, -1, Number.POSITIVE_INFINITY])(
  'a child with %s seconds blocks the run',
  async (seconds) => {
    const paper = await start(({ child }) => child('order', null, { timeoutSeconds: seconds }))
    expect(paper.outcome).toMatchObject({ kind: 'blocked' })
  },
)

test('what still runs when a run ends is cancelled because of that', async () => {
  const paper = await start(async ({ child, waitpoint, step, sleep }) => {
    void child('order', null)
    void waitpoint('approve').completed
    void step.First(1)
    void sleep(1000)
    return step.Second(1)
  })
  await paper.step('Second', 2)
  expect(paper.asked.slice(5)).toEqual([
    { kind: 'cancel_child', command: 1, runEnded: true },
    { kind: 'cancel_waitpoint', command: 2, runEnded: true },
    { kind: 'cancel_step', command: 3, runEnded: true },
    { kind: 'cancel_timer', command: 4, runEnded: true },
  ])
  expect(await paper.divergences()).toEqual([])
})

test('a scope whose time is over cancels what was begun in it, and nothing else', async () => {
  const paper = await start(async ({ scope, step, waitpoint }) => {
    const outside = step.Third(0)
    const inside = scope({ timeoutMs: 50 }, async () => {
      void waitpoint('approve').completed
      return step.First(1)
    }).catch((error: Error) => error.name)
    return [await inside, await outside]
  })
  await paper.fire('scope')
  expect(paper.asked.slice(4)).toEqual([
    { kind: 'cancel_waitpoint', command: 3 },
    { kind: 'cancel_step', command: 4 },
  ])
  await paper.step('Third', 'still there')
  expect(paper.outcome).toEqual(completed(['ScopeTimedOut', 'still there']))
  expect(await paper.divergences()).toEqual([])
})

test('a scope that ends in time drops its timer', async () => {
  const paper = await start(({ scope, step }) => scope({ timeoutMs: 50 }, () => step.First(1)))
  await paper.step('First', 'done')
  expect(paper.outcome).toEqual(completed('done'))
  expect(paper.asked.at(-1)).toEqual({ kind: 'cancel_timer', command: 1 })
})

test('a scope that times out, uncaught, fails the run', async () => {
  const paper = await start(({ scope, step }) => scope({ timeoutMs: 50 }, () => step.First(1)))
  await paper.fire('scope')
  expect(paper.outcome).toMatchObject({ kind: 'failed', error: { code: 'scope_timed_out' } })
})

test('a scope is cancelled by what runs in it; a shield inside is not reached', async () => {
  const paper = await start(async ({ scope, shield, step, onSignal }) => {
    const caught: string[] = []
    await scope({}, async (inner) => {
      onSignal('stop', () => inner.cancel('not wanted'))
      const shielded = shield(() => step.Second(2))
      await step.First(1).catch((error: Error) => caught.push(error.message))
      await step.Third(3).catch((error: Error) => caught.push(error.message))
      caught.push(String(inner.cancelled), String(await shielded))
    })
    return caught
  })
  await paper.signal('stop')
  expect(paper.underWay).toEqual(['step Second'])
  await paper.step('Second', 'kept')
  expect(paper.outcome).toEqual(completed(['not wanted', 'not wanted', 'true', 'kept']))
  expect(await paper.divergences()).toEqual([])
})

test('a cancelled run cancels its scopes, and a scope of a shield lives on', async () => {
  const paper = await start(async ({ scope, shield, step }) => {
    try {
      return await scope({ timeoutMs: 1000 }, () => step.First(1))
    } catch {
      return shield(() => scope({ timeoutMs: 1000 }, () => step.Undo(1)))
    }
  })
  await paper.cancel()
  expect(paper.underWay).toEqual(['timer scope', 'step Undo'])
  await paper.step('Undo', 'undone')
  expect(paper.outcome).toEqual(completed('undone'))
  expect(await paper.divergences()).toEqual([])
})

const booking = ({ saga, step }: Context) =>
  saga(async ({ compensate }) => {
    const room = await step.First('room')
    compensate(() => step.Undo(room))
    const flight = await step.Second('flight')
    compensate(() => step.Undo(flight))
    return step.Third('car')
  })

test.each<[string, (paper: PaperEngine) => Promise<void>, object]>([
  ['fails', (paper) => paper.failStep('Third', 'no_car'), { kind: 'failed', error: { code: 'no_car' } }],
  ['is cancelled', (paper) => paper.cancel(), { kind: 'cancelled' }],
])('a saga that %s undoes in reverse order', async (_name, end, outcome) => {
  const paper = await start(booking)
  await paper.step('First', 'room 7')
  await paper.step('Second', 'flight 8')
  await end(paper)
  expect(paper.asked.at(-1)).toMatchObject({ step: 'Undo', input: 'flight 8' })
  await paper.step('Undo', null)
  expect(paper.asked.at(-1)).toMatchObject({ step: 'Undo', input: 'room 7' })
  await paper.step('Undo#2', null)
  expect(paper.outcome).toMatchObject(outcome)
  expect(await paper.divergences()).toEqual([])
})

test('a compensation that fails does not keep the others from running, and is told', async () => {
  const paper = await start(booking)
  await paper.step('First', 'room 7')
  await paper.step('Second', 'flight 8')
  await paper.failStep('Third', 'no_car')
  await paper.failStep('Undo', 'no_refund')
  await paper.step('Undo#2', null)
  expect(paper.outcome).toMatchObject({ kind: 'failed', error: { code: 'compensation_failed' } })
  expect(paper.outcome).toMatchObject({ error: { message: expect.stringMatching(/no_car.*no_refund/) } })
})

test('a bug compensates nothing: the run is blocked and can go on when it is put right', async () => {
  const paper = await start(({ saga, step }) =>
    saga(async ({ compensate }) => {
      compensate(() => step.Undo(1))
      await step.First(1)
      throw new TypeError('nothing here is a function')
    }),
  )
  await paper.step('First', 1)
  expect(paper.outcome).toMatchObject({ kind: 'blocked' })
  expect(paper.underWay).toEqual([])
})
