import type { Json } from '@kyros/contract/json'
import { type WorkflowContext, WorkflowFailure } from '@kyros/workflows/define'
import type { StepImplementation } from '@kyros/workflows/step-context'
import { expect, test } from 'vitest'
import { loadedFrom, PaperEngine } from './paper-engine.ts'

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

const _completed = (result: Json) => ({ kind: 'completed', result })

test('a query looks, and changes nothing', async () => {
  const paper = await start(async ({ onQuery, step, log }) => {
    let done = 0
    onQuery('progress', (unit) => {
      log('info', 'asked')
      return { done, unit }
    })
    await step.First(1)
    done = 1
    await step.Second(2)
  })
  expect(paper.host.query('progress', '%')).toEqual({ ok: true, result: { done: 0, unit: '%' } })
  await paper.step('First', null)
  expect(paper.host.query('progress', null)).toEqual({ ok: true, result: { done: 1, unit: null } })
  expect(paper.host.query('colour', null)).toMatchObject({
    ok: false,
    error: { code: 'query_unknown', message: expect.stringContaining('progress') },
  })
  expect(paper.logged).toEqual([])
  expect(paper.host.take()).toEqual([])
})

test.each<[string, (context: Context) => unknown]>([
  ['asks for a step', ({ step }) => void step.First(1).catch(() => {})],
  [
    'asks for a step and hides the error',
    ({ step }) => {
      try {
        void step.First(1)
      } catch {
        return 1
      }
    },
  ],
  [
    'asks for a step later',
    async ({ step }) => {
      await null
      await step.First(1)
    },
  ],
  ['sleeps', ({ sleep }) => sleep(1)],
  ['rolls dice', ({ random }) => random()],
  ['sets attributes', ({ attributes }) => attributes({ a: 1 })],
  ['opens a waitpoint', ({ waitpoint }) => void waitpoint('x')],
  ['begins a child', ({ child }) => void child('x', null)],
  ['continues as new', ({ continueAsNew }) => void continueAsNew(null)],
  ['sets a handler', ({ onSignal }) => onSignal('x', () => {})],
  [
    'throws',
    () => {
      throw new Error('odd')
    },
  ],
  ['answers with what is no JSON', () => new Map()],
])('a query whose handler %s fails and leaves the run as it was', async (_name, handler) => {
  const paper = await start(async (context) => {
    context.onQuery('bad', () => handler(context))
    await context.step.Second(1)
    return context.random()
  })
  const untouched = await start(async ({ step, random }) => {
    await step.Second(1)
    return random()
  })
  expect(paper.host.query('bad', null)).toMatchObject({ ok: false, error: { code: 'query_failed' } })
  await paper.step('Second', null)
  await untouched.step('Second', null)
  expect(paper.asked).toEqual(untouched.asked)
  expect(paper.outcome).toEqual(untouched.outcome)
})

const limited = async ({ onUpdate, condition, step }: Context) => {
  const limits: Json[] = []
  onUpdate(
    'setLimit',
    async (limit) => {
      const applied = await step.First(limit)
      limits.push(applied)
      return { applied }
    },
    (limit) => {
      if (typeof limit !== 'number') throw new Error('a limit is a number')
    },
  )
  await condition(() => limits.length >= 2)
  return limits
}

test('an update is validated, done with steps, and answered', async () => {
  const paper = await start(limited)
  expect(await paper.update('setLimit', 'u1', 'many')).toBe('update_rejected')
  expect(await paper.update('colour', 'u1', 1)).toBe('update_unknown')
  expect(paper.log).toHaveLength(1)
  expect(await paper.update('setLimit', 'u1', 5)).toBeUndefined()
  await paper.step('First', 5)
  expect(paper.answered).toEqual([
    {
      kind: 'update_result',
      update: 'setLimit',
      updateId: 'u1',
      end: { kind: 'completed', result: { applied: 5 } },
    },
  ])
  await paper.update('setLimit', 'u2', 6)
  await paper.failStep('First#2', 'too_much')
  expect(paper.answered[1]).toMatchObject({ end: { kind: 'failed', error: { code: 'too_much' } } })
  expect(paper.outcome).toBeUndefined()
  expect(await paper.divergences()).toEqual([])
})

test('at most ten updates of a run are under way', async () => {
  const paper = await start(limited)
  for (let number = 0; number < 10; number++) {
    expect(await paper.update('setLimit', `u${number}`, number)).toBeUndefined()
  }
  expect(await paper.update('setLimit', 'u10', 10)).toBe('update_rejected')
  await paper.step('First', 0)
  expect(await paper.update('setLimit', 'u10', 10)).toBeUndefined()
})

test('an update that fails on purpose fails alone, one with a bug blocks the run', async () => {
  const run = async ({ onUpdate, condition }: Context) => {
    onUpdate('refuse', () => {
      throw new WorkflowFailure('limit_closed', 'Closed.')
    })
    onUpdate('bug', () => {
      throw new TypeError('oh')
    })
    await condition(() => false)
  }
  const paper = await start(run)
  await paper.update('refuse', 'u1', null)
  expect(paper.answered).toMatchObject([{ end: { kind: 'failed', error: { code: 'limit_closed' } } }])
  await paper.update('bug', 'u2', null)
  expect(paper.outcome).toMatchObject({ kind: 'blocked' })
})

test('an update that was not answered when the run ends is answered with that', async () => {
  const paper = await start(async ({ onUpdate, step, sleep }) => {
    onUpdate('slow', () => step.First(1))
    await sleep(5)
  })
  await paper.update('slow', 'u1', null)
  await paper.fire('sleep')
  expect(paper.answered).toMatchObject([{ end: { kind: 'failed', error: { code: 'run_ended' } } }])
  expect(await paper.divergences()).toEqual([])
})

test('an async signal handler may use steps, and its bug blocks the run', async () => {
  const paper = await start(async ({ onSignal, step, condition }) => {
    onSignal('add', async (item) => {
      await step.First(item)
      throw new TypeError('oh')
    })
    await condition(() => false)
  })
  await paper.signal('add', 1)
  await paper.step('First', 1)
  expect(paper.outcome).toMatchObject({ kind: 'blocked', detail: expect.stringContaining('oh') })
})

test('a condition that does more than look blocks the run', async () => {
  const paper = await start(async ({ condition, step }) => {
    let looks = 0
    return condition(() => {
      looks += 1
      if (looks > 1) void step.First(1)
      return false
    })
  })
  await paper.signal('anything')
  expect(paper.outcome).toMatchObject({ kind: 'blocked', detail: expect.stringContaining('only look') })
})

test('an update that the definition does not take any more blocks the replay', async () => {
  const paper = await start(limited)
  await paper.update('setLimit', 'u1', 5)
  const other = loadedFrom(define(async ({ condition }) => condition(() => false)))
  expect((await paper.replay(2, other)).outcome).toMatchObject({
    kind: 'blocked',
    detail: expect.stringContaining('setLimit'),
  })
})
