import type { Json } from '@kyros/contract/json'
import type { WorkflowContext } from '@kyros/workflows/define'
import type { StepImplementation } from '@kyros/workflows/step-context'
import { expect, test } from 'vitest'
import { loadedFrom, PaperEngine, paperRunId } from './paper-engine.ts'
import { createRunGates, enterGate } from './run-gates.ts'
import { type Recorded, WorkflowHost } from './workflow-host.ts'

type Step = StepImplementation<Json, Json>
type Context = WorkflowContext<{ First: Step; Second: Step }>
type Run = (context: Context) => Promise<unknown>

const define = (run: Run) => ({ name: 'paper', version: '1', run })
const start = (run: Run) => PaperEngine.start(define(run))

function createHost(run: Run, recorded: Map<number, Recorded>): WorkflowHost {
  const facts = { runId: paperRunId, workflow: 'paper', version: '1', attempt: 1, maxRetries: 2, input: null }
  return new WorkflowHost({ run: facts, loaded: loadedFrom(define(run)), recorded, onLog: () => {} })
}

test.each<[string, (context: Context) => unknown, string]>([
  ['a key', ({ step }) => step.First(1, { key: 42 as never }), 'key of step First is 42: give a text.'],
  ['no key', ({ step }) => step.First(1, { key: '' }), 'key of step First has 0 characters'],
  ['a queue', ({ step }) => step.First(1, { queue: null as never }), 'queue of step First is null'],
  [
    'a concurrency key',
    ({ step }) => step.First(1, { concurrencyKey: 42 as never }),
    'concurrencyKey of step First is 42: give a text.',
  ],
  ['a mode', ({ step }) => step.First(1, { mode: 'fast' as never }), "give 'queue' or 'inline'"],
  [
    'a limit',
    ({ step }) => step.First(1, { heartbeatMs: '5' as never }),
    'heartbeatMs of step First is of type',
  ],
  ['an endless limit', ({ step }) => step.First(1, { startToCloseMs: Infinity }), 'up to 100 years'],
  [
    'a first wait',
    ({ step }) => step.First(1, { retry: { initialMs: Number.NaN } }),
    'initialMs of step First is NaN',
  ],
  ['a longest wait', ({ step }) => step.First(1, { retry: { maxMs: -1 } }), 'maxMs of step First is -1'],
  ['a factor', ({ step }) => step.First(1, { retry: { factor: Infinity } }), 'factor of step First'],
  [
    'a number of attempts',
    ({ step }) => step.First(1, { retry: { maxAttempts: Number.NaN } }),
    'maxAttempts',
  ],
  ['a retry policy', ({ step }) => step.First(1, { retry: 3 as never }), 'retry of step First is 3'],
  ['codes', ({ step }) => step.First(1, { retry: { nonRetryable: 'code' as never } }), "give ['code', …]"],
  ['options', ({ step }) => step.First(1, 7 as never), 'options of step First are no object'],
  [
    'a title',
    ({ waitpoint }) => waitpoint('a', { title: 10n as never }),
    'title of a waitpoint is of type bigint',
  ],
  ['a waitpoint', ({ waitpoint }) => waitpoint(undefined as never), 'name of a waitpoint is undefined'],
  ['a child', ({ child }) => child(5 as never, null), 'name of a workflow is 5'],
  ['a key of a child', ({ child }) => child('a', null, { key: 5 as never }), 'key of child a is 5'],
  [
    'a parentClose',
    ({ child }) => child('a', null, { parentClose: 'kill' as never }),
    "parentClose is 'kill'",
  ],
  ['a patch', ({ patch }) => patch(1 as never), 'name of a patch is 1'],
  ['a signal', ({ onSignal }) => onSignal(1 as never, () => {}), 'name of a signal is 1'],
  ['a handler', ({ onQuery }) => onQuery('q', 1 as never), 'handler of query q is 1: give a function.'],
  ['a validator', ({ onUpdate }) => onUpdate('u', () => 1, 1 as never), 'handler of an update is 1'],
])('%s of a wrong kind blocks the run, whatever the definition makes of it', async (_what, ask, says) => {
  const paper = await start(async (context) => {
    try {
      await ask(context)
    } catch {
      await context.step.Second(1)
    }
  })
  expect(paper.outcome).toMatchObject({ kind: 'blocked', detail: expect.stringContaining(says) })
  expect(paper.asked).toEqual([])
})

test('what may be tried for ever has a number of attempts that can be stored', async () => {
  const paper = await start(({ step }) => step.First(1, { retry: { maxAttempts: Infinity } }))
  expect(paper.asked).toMatchObject([{ options: { maxAttempts: Number.MAX_SAFE_INTEGER } }])
})

test('a fault in the options that a history went past is let through again, and stops nothing', async () => {
  const retry = { initialMs: Number.NaN, maxAttempts: Number.NaN, nonRetryable: 'code' as never }
  const options = { retry, concurrencyKey: 42 as never, heartbeatMs: Number.POSITIVE_INFINITY }
  const host = createHost(
    ({ step }) => step.First(1, options),
    new Map([[1, { kind: 'step', name: 'First' }]]),
  )
  await host.deliver({ type: 'run.started', timeMs: 1, data: {} })
  expect(host.outcome).toBeUndefined()
  expect(host.take()).toMatchObject([
    { options: { initialMs: 1000, maxAttempts: 3, concurrencyKey: '42', nonRetryable: [] } },
  ])
})

test.each([
  ['an object that has no text', Object.create(null)],
  [
    'an error whose message throws',
    Object.defineProperty(new Error('x'), 'message', {
      get: () => {
        throw 1
      },
    }),
  ],
])('%s blocks the run that throws it', async (_name, thrown) => {
  const paper = await start(async () => {
    throw thrown
  })
  expect(paper.outcome).toMatchObject({
    kind: 'blocked',
    detail: expect.stringContaining('The definition threw'),
  })
})

test.each<[string, number, string, string]>([
  ['a limit of runs', Number.NaN, 'queue', 'concurrency.limit is NaN'],
  ['what becomes of one more', 1, 'wait', "give 'queue', 'reject'"],
])('%s of a wrong kind blocks the run before it begins', (_what, limit, onConflict, says) => {
  const run = { runId: paperRunId, workflow: 'paper', input: null }
  const gates = createRunGates({ onAdmitted: () => {}, cancel: () => {} })
  const entered = enterGate(gates, run, { limit, onConflict: onConflict as 'queue' })
  expect(entered).toMatchObject({ kind: 'blocked', detail: expect.stringContaining(says) })
})

test('a budget of a wrong kind blocks the run', async () => {
  const budget = { timeMs: Number.NaN }
  const paper = await PaperEngine.start({ ...define(async ({ step }) => step.First(1)), budget })
  expect(paper.outcome).toMatchObject({
    kind: 'blocked',
    detail: expect.stringContaining('budget.timeMs is NaN'),
  })
})
