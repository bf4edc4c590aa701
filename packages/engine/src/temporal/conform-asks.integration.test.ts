import type { Json } from '@kyros/contract/json'
import { openStore } from '@kyros/store/open-store'
import { StepError } from '@kyros/workflows/step-error'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { StepFunction } from '../embedded/attempt.ts'
import { createEmbeddedRig } from '../embedded/embedded-rig.ts'
import { askingWorkflow, askingWorkflows } from '../fixtures/catalogue.ts'
import { type EngineRig, echo, ended, owner, plain, submit, until, waiting } from '../suite/rig.ts'
import { conform } from './conform.ts'
import { readConformHistory } from './read-conform-history.ts'

const large: StepFunction = async (input) => `${input}`.padEnd(900_000, 'x')
const hanging: StepFunction = (_input, { signal }) =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
const failing: StepFunction = async () => {
  throw new StepError('no_car', 'No car.', { retryable: false })
}

describe('what runs ask for beside steps and timers, on the real Temporal core', () => {
  let rig: EngineRig
  let token = ''
  const keeping: StepFunction = async (input) => {
    token = String(input)
    return null
  }

  beforeAll(async () => {
    const workflows = [
      ...askingWorkflows.filter(({ name }) => name !== 'sequence'),
      askingWorkflow('sequence', 'patched'),
    ]
    rig = await createEmbeddedRig({
      store: await openStore({ dataDir: ':memory:' }),
      steps: plain,
      workflows,
    })
  })

  afterAll(() => rig.stop())

  const replay = async (runId: string) => {
    const [result] = await conform({ histories: [await readConformHistory(rig.store, runId)] })
    return result
  }

  test.each<[string, Json, { [step: string]: StepFunction }]>([
    ['asking', 'in', { First: echo }],
    ['continuing', { parts: 3, sum: 0 }, { First: echo }],
    ['looping', { rounds: 14 }, { First: large }],
    ['hurried', { timeoutMs: 20 }, { First: hanging }],
    ['booking', null, { Third: failing }],
  ])('%s with %j replays', async (workflow, input, steps) => {
    await rig.restart({ steps: { ...plain, ...steps } })
    const runId = await submit(rig, workflow, input)
    await ended(rig, runId)
    expect(await replay(runId)).toMatchObject({ ok: true })
  })

  test('an answered waitpoint replays as a signal', async () => {
    await rig.restart({ steps: { ...plain, First: keeping } })
    const runId = await submit(rig, 'questioning', { timeoutMs: 60_000 })
    await waiting(rig, runId, 'waitpoint')
    await rig.engine.completeWaitpoint(token, { ok: true }, owner)
    await ended(rig, runId)
    expect(await replay(runId)).toMatchObject({ ok: true })
  })

  test('updates replay, also one that failed', async () => {
    await rig.restart({ steps: plain })
    const runId = await submit(rig, 'updating', { limit: 1 })
    await waiting(rig, runId, 'signal')
    const principal = owner
    await rig.engine.update(runId, 'setLimit', 5, { updateId: 'a', principal })
    await rig.engine.update(runId, 'setLimit', 500, { updateId: 'b', principal }).catch(() => {})
    await rig.engine.signal(runId, 'finish', null, owner)
    await ended(rig, runId)
    expect(await replay(runId)).toMatchObject({ ok: true })
  })

  test('a parent that is cancelled while it waits for its child replays', async () => {
    await rig.restart({ steps: plain })
    const runId = await submit(rig, 'parent', { workflow: 'napping', input: { ms: 60_000 } })
    await waiting(rig, runId, 'child')
    await until(
      () => rig.store.runs.list({ type: 'napping', status: 'waiting' }),
      ({ items }) => items.length > 0,
    )
    await rig.engine.cancel(runId, 'enough', owner)
    await ended(rig, runId)
    expect(await replay(runId)).toMatchObject({ ok: true })
  })

  test.each([
    ['a child', 'parent', { workflow: 'refusing', input: null }, 'napping'],
    ['a waitpoint that expires', 'questioning', { timeoutMs: 20 }, 'booking'],
    ['a patch', 'sequence', 7, 'booking'],
  ])('another definition than the one that asked for %s is caught', async (_name, workflow, input, other) => {
    await rig.restart({ steps: plain })
    const runId = await submit(rig, workflow, input)
    await ended(rig, runId)
    const definition = rig.engine.workflows().find(({ name }) => name === other)?.definition ?? ''
    const source = (await rig.store.definitions.get(definition))?.source ?? ''
    const recorded = await readConformHistory(rig.store, runId)
    const [result] = await conform({ histories: [{ ...recorded, source }] })
    expect(result).toMatchObject({
      ok: false,
      message: expect.stringMatching(/^The history holds .+, the definition asks for .+\.$/),
      core: expect.stringContaining('TMPRL1100'),
    })
  })
})
