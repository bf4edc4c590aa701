import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '@kyros/store/open-store'
import { testEngine } from '../engine.suite.ts'
import { createEmbeddedRig } from './embedded-rig.ts'

testEngine({
  name: 'embedded engine on SQLite in memory',
  create: async (options) =>
    createEmbeddedRig({ ...options, store: await openStore({ dataDir: ':memory:' }) }),
})

testEngine({
  name: 'embedded engine on a SQLite file',
  // The one before has the same statements and the same dialect.
  isBrief: true,
  create: async (options) => {
    const dataDir = await mkdtemp(join(tmpdir(), 'kyros-engine-data-'))
    return createEmbeddedRig({ ...options, store: await openStore({ dataDir }) })
  },
})
