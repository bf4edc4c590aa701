import { openStore } from '@kyros/store/open-store'
import { expect, test } from 'vitest'
import { testWorkflow } from '../fixtures/catalogue.ts'
import { ended, gate, owner, submit } from '../suite/rig.ts'
import { createEmbeddedRig } from './embedded-rig.ts'

test('whoever waits for a run that meets a fault is told, and neither the inbox nor a stop hangs', async () => {
  const store = await openStore({ dataDir: ':memory:' })
  const first = gate()
  let faults = 0
  const steps = {
    First: async () => first.opened,
    // A fault of the engine's own parts, in the turn that hears of the end of the first step.
    get Second(): () => Promise<null> {
      if (faults++ < 2) throw new Error('Nothing can be looked up now.')
      return async () => null
    },
  }
  const rig = await createEmbeddedRig({ store, steps, workflows: [testWorkflow('sequence')] })
  const runId = await submit(rig, 'sequence')
  first.open()
  const asked = Array.from({ length: 50 }, (_, index) => rig.engine.signal(runId, 'any', index, owner))
  expect((await Promise.allSettled(asked)).every(({ status }) => status === 'fulfilled')).toBe(true)
  await rig.engine.cancel(runId, 'enough', owner)
  expect((await ended(rig, runId)).status).toBe('cancelled')
  expect(faults).toBeGreaterThan(0)
  expect(await store.inbox.list(0, 10)).toEqual([])
  await rig.stop()
})
