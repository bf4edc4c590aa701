import { setTimeout as delay } from 'node:timers/promises'
import type { Json } from '@kyros/contract/json'
import { openStore } from '@kyros/store/open-store'
import { catalogue } from '@kyros/workflows/catalogue'
import { StepError } from '@kyros/workflows/step-error'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { StepFunction } from '../embedded/attempt.ts'
import { createEmbeddedRig } from '../embedded/embedded-rig.ts'
import { inlineWorkflows, testWorkflow, testWorkflows } from '../fixtures/catalogue.ts'
import { type EngineRig, echo, ended, owner, plain, submit, untilAborted, waiting } from '../suite/rig.ts'
import { conform } from './conform.ts'
import { readConformHistory } from './read-conform-history.ts'

const values = new URL('../fixtures/value-definitions.ts', import.meta.url)

const analysis: { [step: string]: StepFunction } = {
  FetchCode: async () => ({ commit: 'abc' }),
  RunStaticAnalysis: async () => ({ area: 'static' }),
  RunSecurityAnalysis: async () => ({ area: 'security' }),
  RunPerformanceAnalysis: async () => ({ area: 'performance' }),
  GenerateReport: async () => ({ findings_total: 0 }),
}

const flaky: StepFunction = async (input, { attempt }) => {
  if (attempt === 1) throw new Error('the first attempt fails')
  return input
}
const failing: StepFunction = async () => {
  throw new StepError('not_there', 'nothing found', { retryable: false })
}
const hanging: StepFunction = async (input, { signal }) => (input === 'hang' ? untilAborted(signal) : input)

describe('histories of the embedded engine on the real Temporal core', () => {
  let rig: EngineRig

  beforeAll(async () => {
    const store = await openStore({ dataDir: ':memory:' })
    const dicey = testWorkflow('dicey', undefined, values)
    const workflows = [...testWorkflows, dicey, ...inlineWorkflows, ...catalogue]
    const steps = { ...plain, ...analysis, First: hanging }
    rig = await createEmbeddedRig({ store, workflows, steps })
  })

  afterAll(() => rig.stop())

  const replay = async (runId: string) => {
    const [result] = await conform({ histories: [await readConformHistory(rig.store, runId)] })
    return result
  }

  const finish = async (workflow: string, input: Json = null, steps?: { [step: string]: StepFunction }) => {
    if (steps !== undefined) await rig.restart({ steps: { ...plain, ...analysis, ...steps } })
    const runId = await submit(rig, workflow, input)
    await ended(rig, runId)
    return runId
  }

  test.each<[string, Json, { [step: string]: StepFunction }]>([
    ['sequence', 'in', { First: hanging }],
    ['parallel', 'in', { First: hanging }],
    ['race', 'in', { First: hanging }],
    ['abandoning', 'hang', { First: hanging }],
    ['retrying', 'in', { First: flaky }],
    ['retrying', 'in', { First: failing }],
    ['catching', 'in', { First: failing }],
    ['sleeping', { ms: 20 }, { First: echo }],
    ['collecting', { count: 9, timeoutMs: 30 }, { First: echo }],
    ['refusing', null, { First: echo }],
    ['dice', 'in', { First: echo }],
    ['mixed', 'in', { First: flaky }],
    ['inline_sequence', 'in', { First: flaky }],
    ['inline_beside', 'in', { First: echo }],
    ['inline_retrying', { initialMs: 5 }, { First: flaky }],
    ['inline_retrying', { initialMs: 0 }, { First: failing }],
    ['inline_long', { rounds: 9 }, { First: echo }],
    ['inline_left', 'in', { First: echo }],
    ['inline_cancelled', 'in', { First: echo }],
    ['code_analysis', { repository: '/somewhere' }, { First: echo }],
    ['code_analysis', { repository: '/somewhere', types: ['security'] }, { First: echo }],
  ])('%s with %j replays', async (workflow, input, steps) => {
    expect(await replay(await finish(workflow, input, steps))).toMatchObject({ ok: true })
  })

  test('a fork replays with the dice of the run that it was taken from', async () => {
    const original = await finish('dicey', null, { First: echo })
    for (let count = 0; count < 3; count++) {
      const runId = rig.newId()
      const ids = { runId, jobId: rig.newId() }
      await rig.engine.fork(original, { fromStep: 'last', ...ids, principal: owner, timeMs: Date.now() })
      await ended(rig, runId)
      expect(await replay(runId)).toMatchObject({ ok: true })
    }
  })

  test('inline steps in two lines at once, with a signal after them, replay', async () => {
    await rig.restart({ steps: { ...plain, ...analysis, First: flaky } })
    const runId = await submit(rig, 'inline_waiting', 'in')
    await waiting(rig, runId, 'signal')
    await rig.engine.signal(runId, 'go', null, owner)
    await ended(rig, runId)
    expect(await replay(runId)).toMatchObject({ ok: true })
  })

  test('signals replay', async () => {
    const runId = await submit(rig, 'collecting', { count: 2, timeoutMs: 60_000 })
    await waiting(rig, runId, 'signal')
    await rig.engine.signal(runId, 'add', 1, owner)
    await rig.engine.signal(runId, 'add', 2, owner)
    await ended(rig, runId)
    expect(await replay(runId)).toMatchObject({ ok: true })
  })

  test('a cancellation with clean-up replays', async () => {
    await rig.restart({ steps: { ...plain, First: hanging } })
    const runId = await submit(rig, 'shielding', 'hang')
    await delay(50)
    await rig.engine.cancel(runId, 'stop', owner)
    await ended(rig, runId)
    expect(await replay(runId)).toMatchObject({ ok: true })
  })

  test('a cancelled sleep and a cancelled condition replay', async () => {
    const runId = await submit(rig, 'stubborn')
    await waiting(rig, runId, 'signal')
    await rig.engine.cancel(runId, 'stop', owner)
    await ended(rig, runId)
    expect(await replay(runId)).toMatchObject({ ok: true })
  })

  test('a run that still waits replays up to where it is', async () => {
    const runId = await submit(rig, 'sleeping', { ms: 60_000 })
    await waiting(rig, runId, 'timer')
    expect(await replay(runId)).toMatchObject({ ok: true })
    await rig.engine.cancel(runId, 'enough', owner)
  })

  test('an inline step that is another one is named', async () => {
    const runId = await finish('inline_sequence', 'in', { First: echo })
    const history = await readConformHistory(rig.store, runId)
    const source = history.source.replaceAll('step.First(', 'step.Third(')
    const [result] = await conform({ histories: [{ ...history, source, definition: 'other' }] })
    const message = 'The history holds step First (event 5), the definition asks for step Third.'
    expect(result).toMatchObject({ ok: false, message })
  })

  test('a definition that does something else is named with the command that differs', async () => {
    const runId = await finish('sequence', 'in', { First: echo })
    await rig.restart({ steps: plain, workflows: [testWorkflow('sequence', 'reordered')] })
    const other = rig.engine.workflows()[0]?.definition ?? ''
    const source = (await rig.store.definitions.get(other))?.source ?? ''
    const history = { ...(await readConformHistory(rig.store, runId)), source, definition: other }
    const [result] = await conform({ histories: [history] })
    expect(result).toMatchObject({
      ok: false,
      message: 'The history holds step First (event 5), the definition asks for step Second.',
      core: expect.stringContaining('TMPRL1100'),
    })
  })
})

test('a definition whose way depends on what its module keeps is caught where that matters', async () => {
  const workflows = [testWorkflow('flipping', undefined, values)]
  const rig = await createEmbeddedRig({
    store: await openStore({ dataDir: ':memory:' }),
    steps: plain,
    workflows,
  })
  const histories = []
  for (let count = 0; count < 2; count++) {
    const runId = await submit(rig, 'flipping')
    await ended(rig, runId)
    histories.push(await readConformHistory(rig.store, runId))
  }
  const [first, second] = await conform({ histories })
  expect(first).toMatchObject({ ok: true })
  expect(second).toMatchObject({
    ok: false,
    message: 'The history holds step Second (event 5), the definition asks for step First.',
  })
  // It holds of everything that tests leave behind that it can be repeated: not of these.
  await expect(rig.stop()).rejects.toThrow('flipping')
})
