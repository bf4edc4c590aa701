import { openStore } from '@kyros/store/open-store'
import { expect, test } from 'vitest'
import { testWorkflow } from '../fixtures/catalogue.ts'
import { ended, owner, plain, submit, waiting } from '../suite/rig.ts'
import { createEmbeddedRig } from './embedded-rig.ts'

const workflows = [testWorkflow('collecting'), testWorkflow('sleeping')]

test('a signal that was recorded just before a crash moves its run after it', async () => {
  const store = await openStore({ dataDir: ':memory:' })
  const rig = await createEmbeddedRig({ store, steps: plain, workflows })
  const runId = await submit(rig, 'collecting', { count: 1 })
  await waiting(rig, runId, 'signal')
  await rig.engine.drain(0)
  const data = { signal: 'add', payload: 'at last' }
  const events = [{ type: 'signal.received', timeMs: Date.now(), actor: owner.id, data } as const]
  await store.write({ kind: 'append_run_events', runId, events })
  expect(await store.runs.get(runId)).toMatchObject({ status: 'waiting', stirred: true })
  await rig.restart()
  expect((await ended(rig, runId)).result).toEqual({ met: true, items: ['at last'] })
  await rig.stop()
})

test('a cancellation that was recorded just before a crash ends its sleeping run after it', async () => {
  const store = await openStore({ dataDir: ':memory:' })
  const rig = await createEmbeddedRig({ store, steps: plain, workflows })
  const runId = await submit(rig, 'sleeping', { ms: 600_000 })
  await waiting(rig, runId, 'timer')
  expect((await store.runs.get(runId))?.stirred).toBeUndefined()
  await rig.engine.drain(0)
  const asked = { type: 'run.cancel_requested', timeMs: Date.now(), data: { reason: 'enough' } } as const
  await store.write({ kind: 'append_run_events', runId, events: [asked] })
  await rig.restart()
  expect(await ended(rig, runId)).toMatchObject({ status: 'cancelled' })
  await rig.stop()
})
