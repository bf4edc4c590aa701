import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from './open-store.ts'
import { testStore } from './store.suite.ts'
import type { Store } from './store.ts'

testStore({
  name: 'in memory',
  open: () => openStore({ dataDir: ':memory:' }),
  close: (store) => store.close(),
})

const directories = new Map<Store, string>()

testStore({
  name: 'in a file',
  async open() {
    const dataDir = await mkdtemp(join(tmpdir(), 'kyros-store-'))
    const store = await openStore({ dataDir })
    directories.set(store, dataDir)
    return store
  },
  async close(store) {
    await store.close()
    await rm(directories.get(store) ?? '', { recursive: true })
  },
})
