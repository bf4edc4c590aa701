import { openStore } from '@kyros/store/open-store'
import { Client, Connection } from '@temporalio/client'
import { expect, inject, test } from 'vitest'
import { ended, gate, plain, submit } from '../suite/rig.ts'
import { createTemporalRig } from './temporal-rig.ts'

test('a worker tells that a run has ended, and not that it moves', async () => {
  const address = inject('testTemporalAddress')
  const client = new Client({ connection: await Connection.connect({ address }) })
  const store = await openStore({ dataDir: ':memory:' })
  const [began, go] = [gate(), gate()]
  const Third = async (input: unknown) => {
    began.open()
    await go.opened
    return input
  }
  const rig = await createTemporalRig({ steps: { ...plain, Third }, store, address, client })
  try {
    const runId = await submit(rig, 'sequence')
    const told = Promise.withResolvers<void>()
    let hints = 0
    store.hints.listen(runId, () => {
      hints += 1
      told.resolve()
    })
    await began.opened
    expect(hints).toBe(0)
    go.open()
    await told.promise
    expect((await ended(rig, runId)).status).toBe('completed')
    expect(hints).toBe(1)
  } finally {
    go.open()
    await rig.stop()
    await client.connection.close()
  }
})
