import type { Json } from '@kyros/contract/json'
import type { WorkflowContext } from '@kyros/workflows/define'
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

const completed = (result: Json) => ({ kind: 'completed', result })

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
  expect(await paper.divergences()).toEqual([])
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
  expect(await paper.divergences()).toEqual([])
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
  expect(await paper.divergences()).toEqual([])
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
  paper.host.size.events = 20_000
  await paper.step('First#2', null)
  expect(paper.log.map(({ type }) => type)).toEqual(['run.continued', 'step.scheduled'])
  expect(paper.asked).toMatchObject([{ input: { round: 2, part: 1, input: 'in' } }])
  await paper.step('First', null)
  await paper.step('First', null)
  expect(paper.outcome).toEqual(completed(1))
  expect(await paper.divergences()).toEqual([])
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
  expect(paper.host.size.events).toBe(4 + 20 * 6)
  expect(paper.host.size.bytes).toBeGreaterThan(20_000)
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
