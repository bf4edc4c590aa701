import { openStore } from '@kyros/store/open-store'
import { Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { ended, eventTypes, owner, plain, submit } from '../suite/rig.ts'
import { createTemporalRig } from './temporal-rig.ts'

const address = inject('testTemporalAddress')
let client: Client

beforeAll(async () => {
  client = new Client({ connection: await Connection.connect({ address }) })
})

afterAll(() => client.connection.close())

test.each([true, false])('a fork hears signals and timers as its origin did (signal: %s)', async (isSent) => {
  const store = await openStore({ dataDir: ':memory:' })
  const rig = await createTemporalRig({ steps: plain, store, address, client })
  try {
    const runId = await submit(rig, 'mixed', 3)
    if (isSent) await rig.engine.signal(runId, 'go', null, owner)
    const { result } = await ended(rig, runId)
    const forked = rig.newId()
    const ids = { runId: forked, jobId: rig.newId() }
    await rig.engine.fork(runId, { fromStep: 'Third', ...ids, principal: owner, timeMs: Date.now() })
    expect((await ended(rig, forked)).result).toEqual(result)
    const once = (types: string[]) =>
      types.filter((type) => type !== 'run.forked' && !type.includes('.wait') && type !== 'run.resumed')
    expect(once(await eventTypes(rig, forked)).toSorted()).toEqual(
      once(await eventTypes(rig, runId)).toSorted(),
    )
  } finally {
    await rig.stop()
  }
})
