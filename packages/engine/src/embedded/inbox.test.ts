import { openStore } from '@kyros/store/open-store'
import type { Store } from '@kyros/store/store'
import { expect, test } from 'vitest'
import { testWorkflow } from '../fixtures/catalogue.ts'
import { ended, owner, plain, submit, waiting } from '../suite/rig.ts'
import { createEmbeddedRig } from './embedded-rig.ts'

test('what comes directly does not overtake what another process left in the inbox', async () => {
  const opened = await openStore({ dataDir: ':memory:' })
  // As with several processes, of which this one is never told that its inbox has something new.
  const store: Store = {
    ...opened,
    dialect: 'postgres',
    inbox: {
      ...opened.inbox,
      changes: async function* (signal) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      },
    },
  }
  const rig = await createEmbeddedRig({ store, steps: plain, workflows: [testWorkflow('collecting')] })
  const runId = await submit(rig, 'collecting', { count: 2 })
  await waiting(rig, runId, 'signal')
  const message = { type: 'signal', runId, signal: 'add', payload: 'first', actor: owner.id } as const
  await store.write({ kind: 'put_inbox', message, timeMs: Date.now() })
  await rig.engine.signal(runId, 'add', 'second', owner)
  expect((await ended(rig, runId)).result).toEqual({ met: true, items: ['first', 'second'] })
  expect(await store.inbox.list(0, 10)).toEqual([])
  await rig.stop()
})

test('messages that were acknowledged before a start reach their run before what comes after it', async () => {
  const store = await openStore({ dataDir: ':memory:' })
  const rig = await createEmbeddedRig({ store, steps: plain, workflows: [testWorkflow('collecting')] })
  const runId = await submit(rig, 'collecting', { count: 3 })
  await waiting(rig, runId, 'signal')
  const first = { type: 'signal', runId, signal: 'add', payload: 'first', actor: owner.id } as const
  await rig.engine.drain(0)
  await store.write({ kind: 'put_inbox', message: first, timeMs: Date.now() })
  await rig.restart()
  for (const item of ['second', 'third']) await rig.engine.signal(runId, 'add', item, owner)
  expect((await ended(rig, runId)).result).toEqual({ met: true, items: ['first', 'second', 'third'] })
  await rig.stop()
})

test('what comes while the inbox takes long is acknowledged in it, behind what is there', async () => {
  const opened = await openStore({ dataDir: ':memory:' })
  const read = Promise.withResolvers<void>()
  let isSlow = false
  const store: Store = {
    ...opened,
    dialect: 'postgres',
    inbox: {
      ...opened.inbox,
      list: async (after, limit) => {
        if (isSlow) await read.promise
        return opened.inbox.list(after, limit)
      },
    },
  }
  const rig = await createEmbeddedRig({ store, steps: plain, workflows: [testWorkflow('collecting')] })
  const runId = await submit(rig, 'collecting', { count: 2 })
  await waiting(rig, runId, 'signal')
  isSlow = true
  for (const item of ['first', 'second']) await rig.engine.signal(runId, 'add', item, owner)
  expect(await opened.inbox.list(0, 10)).toHaveLength(2)
  read.resolve()
  expect((await ended(rig, runId)).result).toEqual({ met: true, items: ['first', 'second'] })
  await rig.stop()
})
