import { setTimeout as delay } from 'node:timers/promises'
import { openStore } from '@kyros/store/open-store'
import { expect, test } from 'vitest'
import { askingWorkflow } from '../../fixtures/catalogue.ts'
import { eventTypes, owner, plain, submit, until, waiting } from '../../suite/rig.ts'
import { createEmbeddedRig } from '../embedded-rig.ts'

const workflows = [askingWorkflow('pondering')]

test('a run whose update waits for something stays in memory while somebody waits for the answer', async () => {
  const store = await openStore({ dataDir: ':memory:' })
  const rig = await createEmbeddedRig({ store, steps: plain, workflows, change: { evictAfterMs: 10 } })
  const runId = await submit(rig, 'pondering')
  await waiting(rig, runId, 'signal')
  const answer = rig.engine.update(runId, 'ask', null, { updateId: 'u-1', principal: owner })
  await until(
    () => eventTypes(rig, runId),
    (types) => types.includes('update.accepted'),
  )
  await delay(50)
  expect(rig.engine.health().details.asleep_runs).toBe(0)
  await rig.engine.signal(runId, 'say', 'now', owner)
  expect(await answer).toBe('now')
  await until(
    async () => rig.engine.health().details.asleep_runs,
    (asleep) => asleep === 1,
  )
  await rig.stop()
})

test('an update is answered by the log when the engine lets go of its run meanwhile', async () => {
  const opened = await openStore({ dataDir: ':memory:' })
  const store: typeof opened = { ...opened, dialect: 'postgres' }
  const rig = await createEmbeddedRig({ store, steps: plain, workflows })
  await until(
    async () => rig.engine.health().details.holds_lease,
    (isHeld) => isHeld === true,
  )
  const runId = await submit(rig, 'pondering')
  await waiting(rig, runId, 'signal')
  const answer = rig.engine.update(runId, 'ask', null, { updateId: 'u-1', principal: owner })
  await until(
    () => eventTypes(rig, runId),
    (types) => types.includes('update.accepted'),
  )
  // Another process takes the engine, and gives it back: the run is taken up from its log.
  const timeMs = Date.now() + 3_600_000
  await opened.write({ kind: 'acquire_engine_lease', holder: 'another', timeMs, ttlMs: 60_000 })
  await until(
    async () => rig.engine.health().details.holds_lease,
    (isHeld) => isHeld === false,
  )
  await opened.write({ kind: 'release_engine_lease', holder: 'another' })
  await rig.engine.signal(runId, 'say', 'now', owner)
  expect(await answer).toBe('now')
  await rig.stop()
})
