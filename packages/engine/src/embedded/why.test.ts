import { openStore } from '@kyros/store/open-store'
import { afterEach, expect, test } from 'vitest'
import { askingWorkflow, testWorkflow } from '../fixtures/catalogue.ts'
import { operationsWorkflow } from '../fixtures/operations-catalogue.ts'
import {
  type EngineRig,
  ended,
  gate,
  owner,
  plain,
  submit,
  until,
  untilAborted,
  waiting,
} from '../suite/rig.ts'
import type { StepFunction } from './attempt.ts'
import type { EmbeddedEngineOptions } from './embedded-engine.ts'
import { createEmbeddedRig } from './embedded-rig.ts'

const rigs: EngineRig[] = []
const workflows = [
  ...['sequence', 'sleeping', 'collecting', 'parallel'].map((name) => testWorkflow(name)),
  ...['questioning', 'parent', 'napping', 'updating', 'pondering', 'hoping'].map((name) =>
    askingWorkflow(name),
  ),
  ...['limited', 'budgeted', 'queued', 'keyed_steps'].map((name) => operationsWorkflow(name)),
]

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.stop()
})

async function open(
  steps: { [step: string]: StepFunction } = {},
  change: Partial<EmbeddedEngineOptions> = {},
): Promise<EngineRig> {
  const store = await openStore({ dataDir: ':memory:' })
  const rig = await createEmbeddedRig({ store, workflows, steps: { ...plain, ...steps }, change })
  rigs.push(rig)
  return rig
}

const hanging: StepFunction = async (_input, { signal }) => untilAborted(signal)

const whyOf = (rig: EngineRig, runId: string, kind: string) =>
  until(
    () => rig.engine.why(runId),
    ({ waits_for }) => waits_for[0]?.kind === kind,
  )

test('who waits for a slot or a key is told who has it', async () => {
  const rig = await open({ First: hanging }, { limits: { queues: { gpu: 1 } } })
  const holder = await submit(rig, 'keyed_steps', 'tenant:7')
  const next = await submit(rig, 'keyed_steps', 'tenant:7')
  const ofKey = await whyOf(rig, next, 'concurrency_key')
  expect(ofKey.waits_for[0]).toMatchObject({ name: 'tenant:7', detail: expect.stringContaining(holder) })
  expect(ofKey.what_would_move_it).toBe(`A step of run ${holder} with the key tenant:7 must end.`)
  await submit(rig, 'queued', 1)
  const queued = await submit(rig, 'queued', 2)
  expect(await whyOf(rig, queued, 'queue')).toMatchObject({
    waits_for: [{ name: 'gpu', detail: expect.stringContaining('1 of 1 slots are taken') }],
    what_would_move_it: 'Another step in the queue gpu must end, or allow more at once.',
  })
})

test('timers, children, waitpoints and updates are named, with the time when they move by themselves', async () => {
  const rig = await open({ Second: hanging })
  const sleeper = await submit(rig, 'sleeping', { ms: 60_000 })
  const timer = await whyOf(rig, sleeper, 'timer')
  expect(timer.waits_for[0]?.until).toMatch(/^\d{4}-/)
  expect(timer.what_would_move_it).toBe(`It goes on at ${timer.waits_for[0]?.until}.`)
  const parent = await submit(rig, 'parent', { workflow: 'napping', input: { ms: 60_000 } })
  const child = await whyOf(rig, parent, 'child')
  expect(child.waits_for[0]).toMatchObject({
    name: 'napping',
    detail: expect.stringMatching(/^waits for run /),
  })
  const asking = await submit(rig, 'questioning', { timeoutMs: 60_000 })
  expect((await whyOf(rig, asking, 'waitpoint')).waits_for[0]).toMatchObject({
    name: 'approve',
    detail: 'asks: Ship it?',
    until: expect.stringMatching(/^\d{4}-/),
  })
  const later = await submit(rig, 'sequence', 1, { runAtMs: Date.now() + 60_000 })
  expect((await whyOf(rig, later, 'timer')).waits_for[0]?.name).toBe('start')
})

test('a run that waits for a condition names the signals that it takes, and says so when there is none', async () => {
  const rig = await open()
  const why = await whyOf(rig, await submit(rig, 'pondering', null), 'signal')
  expect(why).toMatchObject({ waits_for: [{ name: 'say' }], what_would_move_it: 'Send the signal say.' })
  const hopeless = await whyOf(rig, await submit(rig, 'hoping', null), 'condition')
  expect(hopeless.waits_for[0]?.detail).toBe('waits for a condition of its definition, and takes no signals')
  expect(hopeless.what_would_move_it).toContain('If none does, cancel it.')
})

test('a run that runs in spite of a pause says both, and an update that is under way is told', async () => {
  const began = gate()
  const First: StepFunction = async (_input, { signal }) => {
    began.open()
    return untilAborted(signal)
  }
  const rig = await open({ First })
  const runId = await submit(rig, 'sequence', 1)
  await began.opened
  await rig.engine.pause(runId, owner)
  expect((await rig.engine.why(runId)).waits_for).toMatchObject([
    { kind: 'paused', name: 'user:suite' },
    { kind: 'step', name: 'First' },
  ])
  const updating = await submit(rig, 'updating', { limit: 1 })
  await waiting(rig, updating, 'signal')
  const answer = rig.engine
    .update(updating, 'setLimit', 5, { updateId: 'a', principal: owner })
    .catch(() => null)
  const why = await until(
    () => rig.engine.why(updating),
    ({ waits_for }) => waits_for.some(({ kind }) => kind === 'update'),
  )
  expect(why.waits_for.map(({ kind }) => kind)).toContain('step')
  await rig.engine.cancel(updating, 'enough', owner)
  await ended(rig, updating)
  await answer
})

test('the record alone says as much where the run is not in memory', async () => {
  const began = gate()
  const First: StepFunction = async (input, { signal }) => {
    began.arrive()
    if (input === 'eu') return untilAborted(signal)
    return input
  }
  const rig = await open({ First })
  const paused = await submit(rig, 'collecting', { count: 1 })
  await waiting(rig, paused, 'signal')
  await rig.engine.pause(paused, owner)
  await waiting(rig, paused, 'paused')
  const parked = await submit(rig, 'budgeted', 1, { runAtMs: Date.now() + 40 })
  await rig.engine.setBudget(parked, { tokens: 1 }, owner)
  await rig.engine.reportUsage(parked, { tokens: 2 })
  await waiting(rig, parked, 'budget_exceeded')
  const first = await submit(rig, 'limited', { place: 'eu' })
  await began.came
  const queued = await submit(rig, 'limited', { place: 'eu' })
  await waiting(rig, queued, 'concurrency')
  const asking = await submit(rig, 'questioning', {})
  await waiting(rig, asking, 'waitpoint')
  await rig.engine.drain(0)
  const kinds = async (runId: string) => {
    const { waits_for, what_would_move_it } = await rig.engine.why(runId)
    expect(what_would_move_it).toMatch(/\.$/)
    return waits_for.map(({ kind, name }) => `${kind} ${name}`)
  }
  expect(await kinds(paused)).toEqual(['paused user:suite'])
  expect(await kinds(parked)).toEqual(['budget_exceeded tokens'])
  expect(await kinds(queued)).toEqual(['concurrency workflow'])
  expect((await kinds(asking))[0]).toMatch(/^waitpoint /)
  expect(await kinds(first)).toEqual(['engine engine'])
})

test('a run that cannot be read says so first, and no heartbeat is too odd or too long to be told', async () => {
  const opened = await openStore({ dataDir: ':memory:' })
  let isMissing = false
  const histories: typeof opened.runs.histories = async (runIds) => {
    if (isMissing) throw new Error('The blob is missing.')
    return opened.runs.histories(runIds)
  }
  const beating: StepFunction = async (_input, { heartbeat, signal }) => {
    // Border cast: a step of somebody else's may give anything.
    heartbeat({ left: 10n } as unknown as string)
    return untilAborted(signal)
  }
  const store = { ...opened, runs: { ...opened.runs, histories } }
  const steps = { ...plain, First: beating }
  const rig = await createEmbeddedRig({ store, workflows, steps, change: { evictAfterMs: 10 } })
  rigs.push(rig)
  const stepping = await submit(rig, 'sequence')
  expect((await whyOf(rig, stepping, 'step')).waits_for[0]?.detail).toContain('attempt 1 of')
  const runId = await submit(rig, 'collecting', { count: 1 })
  await until(
    async () => rig.engine.health().details.asleep_runs,
    (asleep) => asleep === 1,
  )
  isMissing = true
  await expect(rig.engine.signal(runId, 'add', 1, owner)).rejects.toThrow('missing')
  const why = await rig.engine.why(runId)
  expect(why.waits_for[0]?.detail).toBe('the run cannot be read: Error: The blob is missing.')
  isMissing = false
  await rig.engine.signal(runId, 'add', 1, owner)
  expect((await ended(rig, runId)).status).toBe('completed')
})
