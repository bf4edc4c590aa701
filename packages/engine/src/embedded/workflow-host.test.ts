import type { Json } from '@kyros/contract/json'
import { type WorkflowContext, WorkflowFailure } from '@kyros/workflows/define'
import type { StepImplementation } from '@kyros/workflows/step-context'
import { expect, test } from 'vitest'
import { loadedFrom, PaperEngine, paperRunId } from './paper-engine.ts'

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

/** Live and replay are the same, whatever the point at which a process died. */
async function expectReplays(paper: PaperEngine): Promise<void> {
  for (const { at, live, replayed } of await paper.replays())
    expect({ at, asked: replayed }).toEqual({ at, asked: live })
}

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
  await expectReplays(paper)
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
  await expectReplays(paper)
})

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
  await expectReplays(paper)
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
  await expectReplays(paper)
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
  await expectReplays(paper)
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
  await expectReplays(paper)
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
  await expectReplays(paper)
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
  await expectReplays(paper)
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
  await expectReplays(paper)
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

const before = async ({ step }: Context) => {
  await step.First(1)
  await step.Third(3)
}
const patched = async ({ step, patch }: Context) => {
  await step.First(1)
  if (patch('second-too')) await step.Second(2)
  if (patch('second-too')) await step.Second(2)
  await step.Third(3)
}
const after = async ({ step, deprecatePatch }: Context) => {
  await step.First(1)
  deprecatePatch('second-too')
  await step.Second(2)
  await step.Second(2)
  await step.Third(3)
}

test('a patch is taken by new runs, and recorded once', async () => {
  const paper = await start(patched)
  await paper.step('First', 1)
  expect(paper.asked.slice(1)).toMatchObject([
    { kind: 'value', name: 'patch:second-too', command: 2 },
    { kind: 'step', step: 'Second', command: 3 },
  ])
  await paper.step('Second', 2)
  await paper.step('Second#2', 2)
  await paper.step('Third', 3)
  expect(paper.outcome).toEqual(completed(null))
  await expectReplays(paper)
  // The code that came after the patch fits, the code before it does not.
  expect((await paper.replay(undefined, loadedFrom(define(after)))).outcome).toEqual(completed(null))
  expect((await paper.replay(undefined, loadedFrom(define(before)))).outcome).toMatchObject({
    kind: 'blocked',
    detail: expect.stringContaining('the history holds value patch:second-too'),
  })
})

test('a run whose history has passed a patch without it goes on the old way', async () => {
  const paper = await start(before)
  await paper.step('First', 1)
  const replayed = await paper.replay(undefined, loadedFrom(define(patched)))
  expect(replayed.outcome).toBeUndefined()
  expect(replayed.take()).toMatchObject([{ step: 'First' }, { step: 'Third' }])
})

test('a run that comes to a patch only after it was moved takes it', async () => {
  const paper = await start(before)
  const replayed = await paper.replay(undefined, loadedFrom(define(patched)))
  replayed.apply({
    type: 'step.completed',
    timeMs: 1,
    data: { step: 'First', key: 'First', command: 1, attempt: 1, output: 1 },
  })
  await Promise.resolve().then(() => new Promise(setImmediate))
  expect(replayed.take()).toMatchObject([{ step: 'First' }, { kind: 'value' }, { step: 'Second' }])
})

test('new runs of a deprecated patch have no mark', async () => {
  const paper = await start(after)
  await paper.step('First', 1)
  expect(paper.asked.slice(1)).toMatchObject([{ kind: 'step', step: 'Second' }])
})

test('attributes are recorded, and checked', async () => {
  const paper = await start(async ({ attributes, step }) => {
    attributes({ customer: 'c-1', urgent: true, items: 3 })
    await step.First(1)
  })
  expect(paper.asked[0]).toEqual({
    kind: 'attributes',
    command: 1,
    attributes: { customer: 'c-1', urgent: true, items: 3 },
  })
  await paper.step('First', 1)
  await expectReplays(paper)
  const odd = await start(async ({ attributes }) => attributes({ list: [] as unknown as string }))
  expect(odd.outcome).toMatchObject({ kind: 'blocked' })
})

test('a run continues as new with its signals, other dice and other keys', async () => {
  const seen: unknown[] = []
  const paper = await start(async ({ step, continueAsNew, random, info, onSignal }, input) => {
    const heard: Json[] = []
    if (info.part === 1) onSignal('add', (item) => void heard.push(item))
    seen.push({ input, part: info.part, dice: random(), heard })
    void step.Second('left behind')
    await step.First(input)
    return info.part === 1 ? heard : continueAsNew({ next: true })
  }, 'first')
  await paper.signal('add', 7)
  await paper.step('First', null)
  expect(paper.host.part).toBe(1)
  expect(seen).toMatchObject([
    { input: 'first', part: 0 },
    { input: { next: true }, part: 1, heard: [7] },
  ])
  const [one, two] = seen as { dice: number }[]
  expect(one?.dice).not.toBe(two?.dice)
  expect(paper.asked).toMatchObject([
    { step: 'Second', key: 'Second~1', command: 1 },
    { step: 'First', key: 'First~1', command: 2 },
  ])
  await paper.step('First', null)
  expect(paper.outcome).toEqual(completed([7]))
  await expectReplays(paper)
})

test('nothing after continuing as new is executed, and what runs is cancelled', async () => {
  const paper = new PaperEngine(
    loadedFrom(
      define(async ({ step, continueAsNew, info }) => {
        if (info.part > 0) return 'over'
        void step.First(1)
        const next = continueAsNew(null, { upgrade: true })
        void step.Second(2)
        return next
      }),
    ),
  )
  paper.host.apply({ type: 'run.started', timeMs: 1, data: {} })
  expect(paper.host.continuing).toEqual({ input: null, part: 1, upgrade: true, carried: [] })
  expect(paper.host.take()).toMatchObject([
    { kind: 'step', step: 'First' },
    { kind: 'cancel_step', command: 1, runEnded: true },
  ])
})

test('a loop goes on with its state in a new part when its history has grown long', async () => {
  const paper = await start(
    async ({ loop, step, info }, input) =>
      loop({ round: 0 }, async ({ round }) => {
        await step.First({ round, part: info.part, input })
        return round === 3 ? { done: info.part } : { next: { round: round + 1 } }
      }),
    'in',
  )
  await paper.step('First', null)
  paper.host.historyEvents = 20_000
  await paper.step('First#2', null)
  expect(paper.log.map(({ type }) => type)).toEqual(['run.continued', 'step.scheduled'])
  expect(paper.asked).toMatchObject([{ input: { round: 2, part: 1, input: 'in' } }])
  await paper.step('First', null)
  await paper.step('First', null)
  expect(paper.outcome).toEqual(completed(1))
  await expectReplays(paper)
})

test('a loop that never waits for anything is a bug, not the end of the process', async () => {
  const paper = await start(({ loop }) => loop(0, async (n) => ({ next: n + 1 })))
  expect(paper.outcome).toMatchObject({ kind: 'blocked', detail: expect.stringContaining('never waits') })
})

test('a history grows by about six events for a step, and the same when it is replayed', async () => {
  const sizes: number[] = []
  const paper = await start(async ({ step, info }) => {
    for (let round = 0; round < 20; round++) {
      await step.First('x'.repeat(1000))
      sizes.push(info.historyEvents, info.historyBytes)
    }
    return info.continueSuggested
  })
  for (let round = 1; round <= 20; round++) await paper.step(round === 1 ? 'First' : `First#${round}`, 'ok')
  expect(paper.outcome).toEqual(completed(false))
  expect(paper.host.historyEvents).toBe(4 + 20 * 6)
  expect(paper.host.historyBytes).toBeGreaterThan(20_000)
  const live = sizes.splice(0)
  await paper.replay()
  expect(sizes).toEqual(live)
})

test('a history that holds another kind under the same number blocks the run with both sides', async () => {
  const paper = await start(({ waitpoint }) => waitpoint('approve').completed)
  const replayed = await paper.replay(undefined, loadedFrom(define(({ child }) => child('approve', null))))
  expect(replayed.outcome).toMatchObject({
    kind: 'blocked',
    detail: expect.stringContaining(
      'Command 1: the history holds waitpoint approve, the definition asks for child approve',
    ),
  })
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
