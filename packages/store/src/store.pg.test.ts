import { expect, test } from 'vitest'
import { openStore } from './open-store.ts'
import { testStore } from './store.suite.ts'
import type { Store } from './store.ts'
import { createDatabase, dropDatabase } from './suite/postgres-database.ts'

const databases = new Map<Store, string>()

testStore({
  name: 'on PostgreSQL',
  async open() {
    const databaseUrl = await createDatabase()
    const store = await openStore({ dataDir: ':memory:', databaseUrl, maxConnections: 5 })
    databases.set(store, databaseUrl)
    return store
  },
  async close(store) {
    await store.close()
    await dropDatabase(databases.get(store) ?? '')
  },
})

test('a process whose clock is wrong does not take the engine from a live holder', async () => {
  const databaseUrl = await createDatabase()
  const store = await openStore({ dataDir: ':memory:', databaseUrl, maxConnections: 3 })
  const acquire = (holder: string, aheadMs: number) =>
    store.write({ kind: 'acquire_engine_lease', holder, timeMs: Date.now() + aheadMs, ttlMs: 10_000 })
  expect(await acquire('slow', -3_600_000)).toEqual({ held: true, epoch: 1 })
  expect(await acquire('fast', 3_600_000)).toMatchObject({ held: false, holder: 'slow' })
  await store.close()
  await dropDatabase(databaseUrl)
})
