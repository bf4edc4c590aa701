import type { JsonObject } from '@kyros/contract/json'
import { openStore } from '@kyros/store/open-store'
import { afterEach, expect, test } from 'vitest'
import { testWorkflow } from '../../fixtures/catalogue.ts'
import { operationsWorkflow } from '../../fixtures/operations-catalogue.ts'
import type { Op } from '../../simulation/program.ts'
import { type EngineRig, ended, eventTypes, owner, record, submit, until, waiting } from '../../suite/rig.ts'
import { createEmbeddedRig } from '../embedded-rig.ts'

// Of `queued` two runs may be under way at once, and of `refusing_more` one.
const programs = new URL('../../simulation/program.ts', import.meta.url)
const workflows = [testWorkflow('queued', 'queued', programs), operationsWorkflow('refusing_more')]

const rigs: EngineRig[] = []
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.stop()
})

const step = (name: 'First' | 'Second'): Op => ({
  ...{ op: 'step', step: name, options: {} },
  plan: { latencyMs: 0, failures: 0, code: 'flaky' },
})
const story: Op = {
  op: 'race',
  of: [
    { op: 'sleep', ms: 60_000 },
    { op: 'in_turn', of: [step('First'), { op: 'signals', count: 2 }, step('Second')] },
  ],
}
// Border cast: a program is plain data.
const input = (op: Op) => op as unknown as JsonObject

async function open() {
  const done: string[] = []
  let isOpen = Promise.resolve()
  let open = () => {}
  const door = {
    open: () => open(),
    close: () => {
      isOpen = new Promise((resolve) => {
        open = resolve
      })
    },
  }
  const doing =
    (name: string) =>
    async (_: unknown, { runId }: { runId: string }) => {
      done.push(`${runId} ${name}`)
      await isOpen
      return name
    }
  const steps = { First: doing('First'), Second: doing('Second') }
  const store = await openStore({ dataDir: ':memory:' })
  const rig = await createEmbeddedRig({ store, steps, workflows })
  rigs.push(rig)
  const fork = async (from: string, fromStep: string) => {
    const runId = rig.newId()
    const ids = { runId, jobId: rig.newId() }
    await rig.engine.fork(from, { fromStep, ...ids, principal: owner, timeMs: Date.now() })
    return runId
  }
  return { rig, done, fork, door }
}

/** A run that has ended, with two signals, and then two that hold both places. */
async function crowded(rig: EngineRig) {
  const original = await submit(rig, 'queued', input(story))
  await waiting(rig, original, 'signal')
  for (const payload of [1, 2]) await rig.engine.signal(original, 'go', payload, owner)
  await ended(rig, original)
  const holders: string[] = []
  for (let count = 0; count < 2; count++) {
    const holder = await submit(rig, 'queued', input({ op: 'signals', count: 1 }))
    await waiting(rig, holder, 'signal')
    holders.push(holder)
  }
  return { original, holders }
}

test('a fork waits for its place as any run does, and then sees what came meanwhile in its turn', async () => {
  const { rig, done, fork } = await open()
  const { original, holders } = await crowded(rig)
  const forked = await fork(original, 'Second')
  expect(await waiting(rig, forked, 'concurrency')).toMatchObject({ started_at: null })
  await rig.engine.signal(forked, 'go', 3, owner)
  await expect(rig.engine.query(forked, 'signals', null)).rejects.toMatchObject({ code: 'run_not_started' })
  await rig.restart()
  await rig.engine.signal(forked, 'go', 4, owner)
  expect(await record(rig, forked)).toMatchObject({ status: 'waiting', started_at: null })
  const freeMs = Date.now()
  await rig.engine.signal(holders[0] ?? '', 'go', 0, owner)
  const end = await ended(rig, forked)
  expect(end.result).toMatchObject({ signals: [1, 2, 3, 4] })
  expect(Date.parse(end.started_at ?? '')).toBeGreaterThanOrEqual(freeMs)
  expect(done.filter((one) => one.startsWith(forked))).toEqual([`${forked} Second`])
})

test('a fork that is cancelled before it has begun ends what it took over', async () => {
  const { rig, fork } = await open()
  const { original } = await crowded(rig)
  const forked = await fork(original, 'Second')
  await waiting(rig, forked, 'concurrency')
  await rig.engine.cancel(forked, 'not needed', owner)
  expect(await ended(rig, forked)).toMatchObject({ status: 'cancelled', started_at: null })
  expect((await eventTypes(rig, forked)).slice(-3)).toEqual([
    ...['run.cancel_requested', 'timer.cancelled', 'run.cancelled'],
  ])
})

test('a workflow that refuses more refuses forks and tries again as well, and nothing comes of them', async () => {
  const { rig, fork, door } = await open()
  const original = await submit(rig, 'refusing_more')
  const { job_id: jobId } = await ended(rig, original)
  const again = { runId: rig.newId(), principal: owner, timeMs: Date.now() }
  door.close()
  const first = await fork(original, 'First')
  await until(
    () => record(rig, first),
    ({ status }) => status === 'running',
  )
  const refused = { code: 'run_concurrency_reached' }
  await expect(fork(original, 'First')).rejects.toMatchObject(refused)
  await expect(rig.engine.retry(jobId, again)).rejects.toMatchObject(refused)
  expect((await rig.store.runs.list({ limit: 10 })).items).toHaveLength(2)
  door.open()
  expect((await ended(rig, first)).status).toBe('completed')
  await rig.engine.retry(jobId, again)
  expect((await ended(rig, again.runId)).status).toBe('completed')
})
