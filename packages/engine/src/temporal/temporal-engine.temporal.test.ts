import { openStore } from '@kyros/store/open-store'
import { Client, Connection } from '@temporalio/client'
import { afterAll, beforeAll, inject } from 'vitest'
import { testEngine } from '../engine.suite.ts'
import { createTemporalRig } from './temporal-rig.ts'

const address = inject('testTemporalAddress')
let client: Client

beforeAll(async () => {
  client = new Client({ connection: await Connection.connect({ address }) })
})

afterAll(() => client.connection.close())

testEngine({
  name: 'The engine on Temporal, with SQLite in memory',
  create: async (options) =>
    createTemporalRig({ ...options, store: await openStore({ dataDir: ':memory:' }), address, client }),
})
