import { openStore } from '@kyros/store/open-store'
import type { Store } from '@kyros/store/store'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type EngineRig, ended, eventTypes, owner, plain, submit, until, waiting } from '../suite/rig.ts'
import { createEmbeddedRig } from './embedded-rig.ts'

let rig: EngineRig
let store: Store
const logged: string[] = []

beforeEach(async () => {
  logged.length = 0
  store = await openStore({ dataDir: ':memory:' })
  const onLog = (_level: string, message: string) => logged.push(message)
  rig = await createEmbeddedRig({ store, steps: plain, onLog })
})

afterEach(() => rig.stop())

test('a run whose log somebody else wrote to is read again, and a signal on its way arrives once', async () => {
  const runId = await submit(rig, 'collecting', { count: 2 })
  await waiting(rig, runId, 'signal')
  const foreign = {
    type: 'signal.received',
    timeMs: Date.now(),
    data: { signal: 'add', payload: 'foreign' },
  } as const
  await store.write({ kind: 'append_run_events', runId, events: [foreign] })
  await rig.engine.signal(runId, 'add', 'mine', owner)
  expect((await ended(rig, runId)).result).toEqual({ met: true, items: ['foreign', 'mine'] })
  expect(logged.join()).toContain(`Run ${runId} is read again`)
  expect((await eventTypes(rig, runId)).filter((type) => type === 'signal.received')).toHaveLength(2)
})

test('a job that is deleted while its run waits is forgotten', async () => {
  const runId = await submit(rig, 'sleeping', { ms: 150 })
  const { job_id: jobId } = await waiting(rig, runId, 'timer')
  await store.write({ kind: 'delete_job', jobId, actor: owner.id, timeMs: Date.now() })
  await until(
    async () => rig.engine.health().details.active_runs,
    (active) => active === 0,
  )
  await expect(rig.engine.why(runId)).rejects.toMatchObject({ code: 'run_not_found' })
})

test('an engine that stops hands what it can no longer do to the next one', async () => {
  const runId = await submit(rig, 'collecting', { count: 1 })
  await waiting(rig, runId, 'signal')
  await rig.engine.drain(0)
  await rig.engine.signal(runId, 'add', 'late', owner)
  const accepted = await submit(rig, 'sequence', 1)
  await rig.restart()
  expect((await ended(rig, runId)).result).toEqual({ met: true, items: ['late'] })
  expect((await ended(rig, accepted)).status).toBe('completed')
})

test('why says which attempt runs and for how long, and who waits for a slot', async () => {
  const hold = Promise.withResolvers<void>()
  const steps = {
    ...plain,
    First: async (_input: unknown, context: { heartbeat: (details: string) => void }) => {
      context.heartbeat('half')
      await hold.promise
      return null
    },
  }
  await rig.restart({ steps, maxAttempts: 1 })
  const runId = await submit(rig, 'wide', { count: 2 })
  const why = await until(
    () => rig.engine.why(runId),
    ({ waits_for }) => waits_for[0]?.detail.includes('half') ?? false,
  )
  expect(why.waits_for).toMatchObject([
    { kind: 'step', name: 'First', detail: 'attempt 1 of 3 has run for 0 s, progress "half"' },
    { kind: 'queue', name: 'default', detail: expect.stringContaining('First#2') },
  ])
  hold.resolve()
  await ended(rig, runId)
})

test('why is answered from the record where the run is not in memory', async () => {
  const sleeping = await submit(rig, 'sleeping', { ms: 60_000 })
  await waiting(rig, sleeping, 'timer')
  const asking = await submit(rig, 'collecting', { count: 1 })
  await waiting(rig, asking, 'signal')
  const stuck = await submit(rig, 'stuck')
  await waiting(rig, stuck, 'blocked')
  await rig.engine.drain(0)
  expect((await rig.engine.why(sleeping)).what_would_move_it).toMatch(/^It goes on at \d{4}-/)
  expect((await rig.engine.why(asking)).what_would_move_it).toContain('Send the signal')
  expect((await rig.engine.why(stuck)).waits_for).toMatchObject([{ kind: 'blocked' }])
  const pending = await submit(rig, 'sequence')
  expect((await rig.engine.why(pending)).waits_for).toMatchObject([{ kind: 'engine' }])
})
