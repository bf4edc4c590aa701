import type { Json } from '@kyros/contract/json'
import type { WorkflowContext } from '@kyros/workflows/define'
import type { StepImplementation } from '@kyros/workflows/step-context'
import { expect, test } from 'vitest'
import { loadedFrom, PaperEngine, paperRunId } from './paper-engine.ts'
import { WorkflowHost } from './workflow-host.ts'

type Step = StepImplementation<Json, Json>
type Context = WorkflowContext<{ First: Step; Second: Step }>
type Run = (context: Context) => Promise<unknown>

const define = (run: Run) => ({ name: 'paper', version: '1', run })
const start = (run: Run) => PaperEngine.start(define(run))

test.each<[string, Run]>([
  [
    'a condition that is true',
    async ({ condition }) => {
      for (;;) await condition(() => true)
    },
  ],
  [
    'a condition that comes true by being looked at',
    async ({ condition }) => {
      let looked = 0
      for (;;) {
        const before = looked
        await condition(() => ++looked > before + 1)
      }
    },
  ],
  [
    'an empty scope',
    async ({ scope }) => {
      for (;;) await scope({}, async () => 1)
    },
  ],
  [
    'an empty shield',
    async ({ shield }) => {
      for (;;) await shield(async () => 1)
    },
  ],
  [
    'an empty saga',
    async ({ saga }) => {
      for (;;) await saga(async () => 1)
    },
  ],
])('a loop around %s is blocked, also where it begins behind a step', async (_name, run) => {
  const paper = await start(async (context) => {
    await context.step.First(1)
    return run(context).catch(() => context.step.Second(2))
  })
  await paper.step('First', 1)
  expect(paper.outcome).toMatchObject({
    kind: 'blocked',
    detail: expect.stringContaining('answered at once 100000 times in a row'),
  })
  expect(await paper.divergences()).toEqual([])
  expect((await paper.replay()).outcome).toEqual(paper.outcome)
})

test('a loop that tries again whatever it catches is blocked when its run is cancelled', async () => {
  const paper = await start(async ({ step }) => {
    for (;;) {
      try {
        await step.First(1)
      } catch {}
    }
  })
  await paper.cancel()
  expect(paper.outcome).toMatchObject({ kind: 'blocked', detail: expect.stringContaining('cancelled') })
})

test('many answers at once are no loop while something happens in between', async () => {
  const paper = await start(async ({ step, condition }) => {
    for (let round = 0; round < 3; round++) {
      for (let count = 0; count < 50_000; count++) await condition(() => true)
      await step.First(round)
    }
    return 'done'
  })
  for (let round = 0; round < 3; round++) await paper.step('First', round)
  expect(paper.outcome).toEqual({ kind: 'completed', result: 'done' })
})

test('a part of a run that grows too long is blocked and told of continueAsNew, whatever it catches', async () => {
  const paper = await start(async ({ step }) => {
    for (;;) {
      try {
        await step.First(1)
      } catch {
        await step.Second(1)
      }
    }
  })
  paper.host.size.events = 49_990
  while (paper.outcome === undefined) await paper.step('First', 1)
  expect(paper.outcome).toMatchObject({
    kind: 'blocked',
    detail: expect.stringContaining('Use continueAsNew'),
  })
  expect(paper.underWay).toEqual([])
})

test('large payloads are a long history, too', async () => {
  const paper = await start(async ({ step }) => {
    for (;;) await step.First(1)
  })
  const large = 'x'.repeat(1024 * 1024)
  for (let count = 0; count < 60 && paper.outcome === undefined; count++) await paper.step('First', large)
  expect(paper.outcome).toMatchObject({ kind: 'blocked', detail: expect.stringContaining('51 MB') })
})

test('a history that is longer than that already replays to where it was', async () => {
  const run: Run = async ({ step }) => {
    for (let count = 0; count < 5; count++) await step.First(count)
  }
  const recorded = new Map([1, 2, 3].map((command) => [command, { kind: 'step', name: 'First' }] as const))
  const facts = { runId: paperRunId, workflow: 'paper', version: '1', attempt: 1, maxRetries: 2, input: null }
  const host = new WorkflowHost({ run: facts, loaded: loadedFrom(define(run)), recorded, onLog: () => {} })
  host.size.events = 60_000
  await host.deliver({ type: 'run.started', timeMs: 1, data: {} })
  for (const command of [1, 2]) {
    const data = { step: 'First', key: 'k', command, attempt: 1, output: 1 }
    await host.deliver({ type: 'step.completed', timeMs: 1, data })
  }
  expect(host.outcome).toBeUndefined()
  expect(host.take()).toMatchObject([{ command: 1 }, { command: 2 }, { command: 3 }])
})
