import { openStore } from '@kyros/store/open-store'
import { expect, test } from 'vitest'
import { askingWorkflow, testWorkflow } from '../fixtures/catalogue.ts'
import { ended, eventTypes, gate, owner, plain, submit, until, waiting } from '../suite/rig.ts'
import { createEmbeddedRig } from './embedded-rig.ts'

const workflows = [testWorkflow('collecting'), askingWorkflow('continuing')]

test('a signal that is sent again under its id is taken once, whichever way it comes', async () => {
  const store = await openStore({ dataDir: ':memory:' })
  const rig = await createEmbeddedRig({ store, steps: plain, workflows })
  const runId = await submit(rig, 'collecting', { count: 3 })
  await waiting(rig, runId, 'signal')
  const send = (item: string) => rig.engine.signal(runId, 'add', item, owner, `id of ${item}`)
  await Promise.all([send('first'), send('first')])
  await rig.restart()
  await send('first')
  // While this process does not run the engine, it goes over the inbox.
  await rig.engine.drain(0)
  for (const item of ['first', 'second', 'second']) await send(item)
  await rig.restart()
  await send('third')
  expect((await ended(rig, runId)).result).toEqual({ met: true, items: ['first', 'second', 'third'] })
  await send('third')
  await expect(send('fourth')).rejects.toMatchObject({ code: 'run_ended' })
  expect(await store.inbox.list(0, 10)).toEqual([])
  await rig.stop()
})

test('the next part of a run knows the ids of the signals before it', async () => {
  const store = await openStore({ dataDir: ':memory:' })
  const { opened, open } = gate()
  const First = async (part: unknown) => {
    if (part === 2) await opened
    return 1
  }
  const rig = await createEmbeddedRig({ store, steps: { ...plain, First }, workflows })
  const runId = await submit(rig, 'continuing', { parts: 2, sum: 0 })
  const send = () => rig.engine.signal(runId, 'add', 'once', owner, 'an id')
  await send()
  await until(
    () => eventTypes(rig, runId),
    (types) => types.includes('run.continued'),
  )
  await send()
  open()
  await ended(rig, runId)
  expect((await eventTypes(rig, runId)).filter((type) => type === 'signal.received')).toHaveLength(1)
  await rig.stop()
})
