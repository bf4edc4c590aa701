import { isRunEvent } from '@kyros/contract/event'
import type { Json } from '@kyros/contract/json'
import type { NewRunEvent } from '@kyros/store/command'
import { openStore } from '@kyros/store/open-store'
import { afterEach, expect, test } from 'vitest'
import type { Engine } from '../../engine.ts'
import { testWorkflow } from '../../fixtures/catalogue.ts'
import { operationsWorkflow } from '../../fixtures/operations-catalogue.ts'
import {
  copyRun,
  type EngineRig,
  ended,
  gate,
  owner,
  plain,
  record,
  submit,
  until,
  waiting,
} from '../../suite/rig.ts'
import type { StepFunction } from '../attempt.ts'
import { createEmbeddedRig } from '../embedded-rig.ts'
import { asNewEvent } from '../history.ts'

const rigs: EngineRig[] = []
const workflows = [
  ...['sequence', 'collecting'].map((name) => testWorkflow(name)),
  ...['budgeted', 'limited'].map((name) => operationsWorkflow(name)),
]

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.stop()
})

/** Notes which steps of which run were done, and how many of a run were at work at the same time. */
function watched(steps: { [step: string]: StepFunction } = {}) {
  const done: string[] = []
  const watch =
    (inner: StepFunction): StepFunction =>
    async (input, context) => {
      const output = await inner(input, context)
      done.push(`${context.runId} ${context.step}`)
      return output
    }
  const all = Object.entries({ ...plain, ...steps }).map(([name, step]) => [name, watch(step)] as const)
  return { done, steps: Object.fromEntries(all) }
}

async function open(steps: { [step: string]: StepFunction }) {
  const store = await openStore({ dataDir: ':memory:' })
  const rig = await createEmbeddedRig({ store, steps, workflows })
  rigs.push(rig)
  return rig
}

async function eventsOf(rig: EngineRig, runId: string): Promise<NewRunEvent[]> {
  const events = await rig.store.events.ofRun(runId)
  return events.flatMap((event) => (isRunEvent(event) ? [asNewEvent(event)] : []))
}

const endsRun = ({ type }: NewRunEvent) => type === 'run.completed'
const has = (events: readonly NewRunEvent[], type: string) => events.some((event) => event.type === type)

/** A run for each beginning of the log, as a process that died after it left it; none is doing anything before a restart. */
async function copies(rig: EngineRig, events: readonly NewRunEvent[], definition: string, from = 1) {
  const made: { id: string; kept: NewRunEvent[] }[] = []
  for (let length = from; length <= events.length; length++) {
    const kept = events.slice(0, length)
    if (!kept.some(endsRun)) made.push({ id: await copyRun(rig, kept, definition), kept })
  }
  return made
}

function nothingDoneTwice(done: readonly string[], copied: readonly { id: string; kept: NewRunEvent[] }[]) {
  expect(done).toEqual([...new Set(done)])
  for (const { id, kept } of copied) {
    for (const event of kept) {
      if (event.type !== 'step.completed') continue
      expect(done, `a prefix of ${kept.length}`).not.toContain(`${id} ${event.data.step}`)
    }
  }
}

test('a pause holds after a crash at any point of it, and what follows it is done once', async () => {
  const [began, go] = [gate(), gate()]
  let isHolding = true
  const First: StepFunction = async (input) => {
    if (isHolding) {
      began.open()
      await go.opened
    }
    return input
  }
  const { done, steps } = watched({ First })
  const rig = await open(steps)
  const runId = await submit(rig, 'sequence', 7)
  await began.opened
  await rig.engine.pause(runId, owner)
  go.open()
  isHolding = false
  const { definition } = await waiting(rig, runId, 'paused')
  await rig.engine.resume(runId, owner)
  await ended(rig, runId)
  const made = await copies(rig, await eventsOf(rig, runId), definition)
  done.length = 0
  await rig.restart()
  const isHeld = ({ kept }: { kept: NewRunEvent[] }) =>
    has(kept, 'run.pause_requested') && !has(kept, 'run.resume_requested')
  for (const one of made.filter((copy) => !isHeld(copy))) await ended(rig, one.id)
  const held = made.filter(isHeld)
  expect(held.length).toBeGreaterThan(1)
  for (const { id } of held) {
    await waiting(rig, id, 'paused')
    expect(done.filter((one) => one.startsWith(id))).toEqual([])
    await rig.engine.resume(id, owner)
  }
  for (const { id } of made) expect((await ended(rig, id)).result).toEqual([7, 7, 7])
  nothingDoneTwice(done, made)
})

test('a budget that is used parks after a crash at any point, and is counted once', async () => {
  const at: { engine?: Engine } = {}
  const First: StepFunction = async (input, { runId }) => {
    await at.engine?.reportUsage(runId, { tokens: 120 })
    return input
  }
  const { done, steps } = watched({ First })
  const rig = await open(steps)
  at.engine = rig.engine
  const runId = await submit(rig, 'budgeted', 7)
  const { definition } = await waiting(rig, runId, 'budget_exceeded')
  await rig.engine.setBudget(runId, { tokens: 1000 }, owner)
  await ended(rig, runId)
  const made = await copies(rig, await eventsOf(rig, runId), definition)
  done.length = 0
  await rig.restart()
  at.engine = rig.engine
  for (const { id, kept } of made) {
    if (!has(kept, 'run.budget_set')) {
      await waiting(rig, id, 'budget_exceeded')
      await rig.engine.setBudget(id, { tokens: 1000 }, owner)
    }
    const { budget, result } = await ended(rig, id)
    expect(result).toEqual([7, 7])
    // An attempt that was cut off reports again what it uses again.
    const wasCut = has(kept, 'budget.used') && !has(kept, 'step.completed')
    expect(budget?.used_tokens).toBe(wasCut ? 240 : 120)
  }
  nothingDoneTwice(done, made)
})

test('runs of one key do not overlap after a crash at any point of either', async () => {
  const atWork = new Map<string, number>()
  let most = 0
  const First: StepFunction = async (place: Json) => {
    const now = (atWork.get(String(place)) ?? 0) + 1
    atWork.set(String(place), now)
    most = Math.max(most, now)
    await new Promise((resolve) => setTimeout(resolve, 3))
    atWork.set(String(place), now - 1)
    return place
  }
  const { done, steps } = watched({ First })
  const rig = await open(steps)
  const first = await submit(rig, 'limited', { place: 'origin' })
  const runId = await submit(rig, 'limited', { place: 'origin' })
  await ended(rig, first)
  const { definition } = await ended(rig, runId)
  const events = await eventsOf(rig, runId)
  expect(events[1]).toMatchObject({ type: 'run.waiting', data: { reason: 'concurrency' } })
  const placed = (place: string) =>
    events.map((event) =>
      event.type === 'run.created' ? { ...event, data: { ...event.data, input: { place } } } : event,
    )
  const made: { id: string; kept: NewRunEvent[] }[] = []
  for (let length = 1; length < events.length; length++) {
    for (const count of [length, 2, 1]) {
      const kept = placed(`place ${length}`).slice(0, count)
      made.push({ id: await copyRun(rig, kept, definition), kept })
    }
  }
  done.length = 0
  most = 0
  await rig.restart()
  for (const { id } of made) expect((await ended(rig, id)).status).toBe('completed')
  expect(most).toBe(1)
  nothingDoneTwice(done, made)
})

test('a fork goes on after a crash at any point, and does nothing again that it took over', async () => {
  const { done, steps } = watched()
  const rig = await open(steps)
  const runId = await submit(rig, 'sequence', 7)
  const { definition } = await ended(rig, runId)
  const forked = rig.newId()
  const ids = { runId: forked, jobId: rig.newId() }
  await rig.engine.fork(runId, { fromStep: 'Third', ...ids, principal: owner, timeMs: Date.now() })
  await ended(rig, forked)
  const events = await eventsOf(rig, forked)
  // What it took over came with it in one commit.
  const taken = events.findIndex(
    ({ type, data }) => type === 'step.scheduled' && 'key' in data && data.key === 'Third',
  )
  const made = await copies(rig, events, definition, taken)
  done.length = 0
  await rig.restart()
  for (const { id } of made) {
    expect(await ended(rig, id)).toMatchObject({
      result: [7, 7, 7],
      forked_from: { run_id: runId, step: 'Third' },
    })
  }
  expect(done.filter((one) => !one.endsWith('Third'))).toEqual([])
  nothingDoneTwice(done, made)
})

test('a run that is held leaves memory, and goes on when somebody lets it', async () => {
  const store = await openStore({ dataDir: ':memory:' })
  const change = { evictAfterMs: 20 }
  const rig = await createEmbeddedRig({ store, steps: plain, workflows, change })
  rigs.push(rig)
  const paused = await submit(rig, 'sequence', 1, { runAtMs: Date.now() + 50 })
  await rig.engine.pause(paused, owner)
  const parked = await submit(rig, 'budgeted', 2, { runAtMs: Date.now() + 50 })
  await rig.engine.reportUsage(parked, { tokens: 200 })
  await waiting(rig, parked, 'budget_exceeded')
  const asleep = () =>
    until(
      async () => rig.engine.health().details.asleep_runs,
      (count) => count === 2,
    )
  await asleep()
  await rig.restart()
  await asleep()
  expect((await rig.engine.why(parked)).waits_for).toMatchObject([
    { kind: 'budget_exceeded', name: 'tokens' },
  ])
  await rig.engine.resume(paused, owner)
  await rig.engine.setBudget(parked, { tokens: 1000 }, owner)
  expect((await ended(rig, paused)).result).toEqual([1, 1, 1])
  expect((await ended(rig, parked)).result).toEqual([2, 2])
})

test('time in which a run is paused does not count against its limit', async () => {
  const rig = await open(plain)
  const runId = await submit(rig, 'collecting', { count: 1 }, { timeoutSeconds: 1 })
  await waiting(rig, runId, 'signal')
  await rig.engine.pause(runId, owner)
  await waiting(rig, runId, 'paused')
  await new Promise((resolve) => setTimeout(resolve, 1200))
  expect((await record(rig, runId)).status).toBe('waiting')
  await rig.engine.resume(runId, owner)
  await rig.engine.signal(runId, 'add', 'in time', owner)
  expect((await ended(rig, runId)).result).toEqual({ met: true, items: ['in time'] })
})
