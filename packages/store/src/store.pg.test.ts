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
